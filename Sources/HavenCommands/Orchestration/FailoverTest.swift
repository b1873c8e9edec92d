import AdminAPI
import ClusterModel
import LinuxIO

/// A failover on purpose, measured.
enum FailoverTest {
    /// How long resources may take to move.
    private static let patience = Duration.seconds(60)
    /// How often it is looked whether they have.
    private static let lookInterval = Duration.milliseconds(100)

    /// Checks first that it is safe, then moves the node's work away and back, and prints the outage of each way.
    static func run(node: NodeName?, _ session: Session) throws(CommandFailure) {
        guard case .failover(let view) = try session.ask(.failoverCheck(node: node)) else { throw Session.unexpected }
        guard view.objections.isEmpty else {
            throw CommandFailure(.failed, "not now: " + view.objections.joined(separator: "; "))
        }
        let (configuration, _) = try session.configuration()
        for move in view.moves { session.print("\(move.resource): \(view.node) -> \(move.to ?? "nowhere")") }
        let probes = view.moves.compactMap { move in
            move.address.map { OutageProbe(endpoint: endpoint($0, configuration)) }
        }
        for probe in probes { probe.begin() }
        defer { for probe in probes { probe.end() } }
        do throws(CommandFailure) {
            try session.edit(.setStandby(nodes: [view.node], standby: true))
            try wait(for: view.moves.map { ($0.resource, $0.to) }, session)
        } catch {
            try? session.edit(.setStandby(nodes: [view.node], standby: false))
            throw error
        }
        report("away", probes, session)
        try session.edit(.setStandby(nodes: [view.node], standby: false))
        for move in view.moves { try session.carryOut(.move(resource: move.resource, to: view.node)) }
        try wait(for: view.moves.map { ($0.resource, view.node) }, session)
        report("back", probes, session)
    }

    /// A port that a listener has on the address; else any port, whose refusal is an answer of the address too.
    private static func endpoint(_ address: IPAddress, _ configuration: ClusterConfiguration) -> Endpoint {
        configuration.listeners.flatMap(\.binds).first { $0.address == address }
            ?? Endpoint(address: address, port: 1)
    }

    private static func wait(
        for places: [(resource: ResourceName, node: NodeName?)],
        _ session: Session
    ) throws(CommandFailure) {
        let deadline = Clock.monotonic() + patience
        while true {
            let resources = try session.status().resources
            let missing = places.filter { place in
                !resources.contains { $0.name == place.resource && $0.node == place.node && $0.state == .started }
            }
            if missing.isEmpty { return }
            if Clock.monotonic() >= deadline {
                let names = missing.map(\.resource).joined(separator: ", ")
                throw CommandFailure(
                    .failed,
                    "\(names) did not start elsewhere within \(patience.components.seconds) s"
                )
            }
            Pause.until(Clock.monotonic() + lookInterval)
        }
    }

    private static func report(_ way: String, _ probes: [OutageProbe], _ session: Session) {
        for probe in probes {
            session.print("\(way): \(probe.endpoint) did not answer for \(probe.takeLongestGap().milliseconds) ms")
        }
    }
}
