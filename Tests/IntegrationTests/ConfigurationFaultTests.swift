import AdminAPI
import ClusterModel
import Foundation
import Lab
import LinuxIO
import Processes
import Synchronization
import Testing

extension IntegrationTests {
    /// Operators who change the configuration on all nodes at once, while real faults happen to these.
    @Suite(.serialized, .lab("itlinear"))
    struct ConfigurationFaultTests {
        @Test
        func `The replicated configuration behaves as one, whatever happens to its hosts`() throws {
            let cluster = try TestCluster.current()
            let settings = FaultSettings(name: "configuration")
            try cluster.createOutlets()
            let first = try #require(Operator.look(cluster.lab.host("ctl1")))
            let notes = OperatorNotes()
            let operators = cluster.lab.hosts.map { Operator($0, notes) }
            for one in operators { one.begin() }
            defer { notes.end() }

            let plan = FaultSchedule(
                seed: settings.seed,
                length: settings.length,
                hosts: cluster.lab.hosts.map(\.name),
                hasWork: false
            )
            let runner = FaultRunner(cluster, plan)
            try runner.run {}
            notes.end()
            try cluster.wait("all operators have their answers") { notes.hasEnded(operators.count) }
            for host in cluster.lab.hosts {
                try cluster.waitUntil("all are one again", on: host.name, within: .seconds(60)) { view in
                    view.online.count == 3 && view.quorum.isQuorate
                        && view.nodes.allSatisfy { $0.digest == view.digest }
                }
            }
            // Now that all is quiet, every node must give the last word.
            for host in cluster.lab.hosts {
                try cluster.wait("\(host.name) gives its last word") {
                    let began = Clock.monotonic().nanoseconds
                    guard let last = Operator.look(host) else { return false }
                    notes.add(
                        ConfigurationOperation(
                            kind: .read(version: last.version, value: last.value),
                            result: .seen,
                            began: began,
                            ended: Clock.monotonic().nanoseconds
                        )
                    )
                    return true
                }
            }
            let (operations, seen) = notes.all
            let checker = LinearizabilityChecker(operations: operations, initial: (first.version, first.value))
            #expect(checker.violation() == nil, "\(settings)")
            #expect(ObservationChecker.violations(seen, operations, initial: first) == [], "\(settings)")
            let won = operations.count { if case .won = $0.result { true } else { false } }
            let lost = operations.count { $0.result == .lost }
            let unknown = operations.count { $0.result == .unknown }
            #expect(won > 0)
            print(
                "\(settings): \(runner.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }), "
                    + "\(won) changes, \(lost) lost to others, \(unknown) without an answer, \(seen.count) looks"
            )
        }
    }
}

/// What all operators did and saw.
final class OperatorNotes: Sendable {
    private struct State {
        var operations: [ConfigurationOperation] = []
        var seen: [ObservationChecker.Observation] = []
        var nextValue: Int64 = 60_000
        var isEnding = false
        var ended = 0
    }

    private let state = Mutex(State())

    func add(_ operation: ConfigurationOperation) { state.withLock { $0.operations.append(operation) } }

    func add(_ observation: ObservationChecker.Observation) { state.withLock { $0.seen.append(observation) } }

    /// A value that nobody has written yet.
    func drawValue() -> Int64 {
        state.withLock { state in
            state.nextValue += 1
            return state.nextValue
        }
    }

    func end() { state.withLock { $0.isEnding = true } }

    var isEnding: Bool { state.withLock { $0.isEnding } }

    func operatorEnded() { state.withLock { $0.ended += 1 } }

    func hasEnded(_ count: Int) -> Bool { state.withLock { $0.ended == count } }

    var all: (operations: [ConfigurationOperation], seen: [ObservationChecker.Observation]) {
        state.withLock { ($0.operations, $0.seen) }
    }
}

/// Looks at the configuration on one host, and changes it if it is still as seen, again and again.
final class Operator: Sendable {
    private let host: LabHost
    private let notes: OperatorNotes
    /// Longer than an agent needs to say that it could not reach a leader.
    private static let patienceSeconds = 25
    private static let pause = Duration.milliseconds(20)

    init(_ host: LabHost, _ notes: OperatorNotes) {
        self.host = host
        self.notes = notes
    }

    func begin() { Thread { [self] in run() }.start() }

    private func run() {
        while !notes.isEnding {
            if let seen = Self.look(host) {
                notes.add(seen)
                change(seen)
            }
            Pause.until(Clock.monotonic() + Self.pause)
        }
        notes.operatorEnded()
    }

    /// What a host's agent shows, be it the leader's or, without one, its own, which may be old; nil without an answer.
    static func look(_ host: LabHost) -> ObservationChecker.Observation? {
        guard case .configuration(let configuration, let version)? = try? client(host)?.send(.configuration) else {
            return nil
        }
        return .init(version: version, value: configuration.properties.stonithTimeout.count)
    }

    private func change(_ seen: ObservationChecker.Observation) {
        guard let client = Self.client(host) else { return }
        let value = notes.drawValue()
        let began = Clock.monotonic().nanoseconds
        let response: AdminResponse?
        do throws(AdminClientError) {
            response = try client.send(
                .edit(.setProperty(.stonithTimeout(Milliseconds(value))), expected: seen.version)
            )
        } catch {
            // Nobody took it.
            if case .agentDown = error { return }
            response = nil
        }
        guard let result = Self.result(response) else { return }
        notes.add(
            ConfigurationOperation(
                kind: .swap(expected: seen.version, value: value),
                result: result,
                began: began,
                ended: Clock.monotonic().nanoseconds
            )
        )
    }

    /// Nil for an answer that promises that nothing was changed, whatever the version is: were that wrong, somebody
    /// would see a value that nobody wrote.
    private static func result(_ response: AdminResponse?) -> ConfigurationOperation.Result? {
        switch response {
        case .done(let version, _): .won(version: version)
        case .failed(let failure):
            switch failure.kind {
            case .conflict: .lost
            case .refused, .noQuorum, .malformed, .denied: nil
            case .failed, .timeout: .unknown
            }
        default: .unknown
        }
    }

    /// The agent's socket, as it is seen from outside of the host.
    private static func client(_ host: LabHost) -> AdminClient? {
        guard let first = host.firstProcess else { return nil }
        return AdminClient(path: "/proc/\(first.pid)/root/run/haven/agent.sock", timeoutSeconds: patienceSeconds)
    }
}
