internal import AdminAPI
internal import ClusterModel
internal import FoundationEssentials
internal import Lab
internal import LinuxIO
internal import Processes

/// The lab on which a tour plays, and the operator who types commands on one of its hosts.
struct Stage {
    let lab: Lab
    /// Prints a line at once.
    let tell: (String) -> Void
    /// Whether the user wants it to end.
    let isInterrupted: () -> Bool

    /// The address that clients use, and its listeners.
    static let address = "10.99.0.50"
    static let webPort: UInt16 = 80
    static let streamPort: UInt16 = 5000
    /// The port of the one process that runs beside the address.
    static let soloPort: UInt16 = 7000
    /// The port of every host's own server.
    static let serverPort: UInt16 = 8080
    static let cluster = "openstack"
    static let addressResource = "VirtualIP"
    static let soloResource = "Solo"

    /// How long any command of the operator may take.
    static let commandPatience = Duration.seconds(30)
    /// The time between two looks at the status: each costs the machine a program start.
    static let lookInterval = Duration.milliseconds(150)

    var hosts: [String] { lab.specification.hosts }

    /// Types a command on a host, shows it, and returns what it printed.
    @discardableResult
    func type(_ words: [String], on host: String) throws -> String {
        let shown = words.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
        tell("\(host)# \(shown)")
        let text = try run(words, on: host)
        for line in text.split(separator: "\n") { tell("    \(line)") }
        return text
    }

    /// Runs a command on a host.
    @discardableResult
    func run(_ words: [String], on host: String, input: String = "") throws -> String {
        try checkInterruption()
        let result = try lab.host(host).run(words, input: Array(input.utf8), timeout: Self.commandPatience)
        guard result.isSuccess else {
            let reason = result.timedOut ? "took longer than \(Self.commandPatience)" : "\(result.exit)"
            throw TourError("\(words.joined(separator: " ")) on \(host): \(reason): \(result.errors.text)")
        }
        return result.output.text
    }

    /// What a host's agent knows; nil when it gives no answer.
    func status(seenBy host: String) -> StatusView? {
        guard let machine = try? lab.host(host), machine.isOn,
            let result = try? machine.run(["haven", "status", "--json"], timeout: .seconds(3)), result.isSuccess
        else { return nil }
        return try? JSONDecoder().decode(StatusView.self, from: Data(result.output.bytes))
    }

    /// What the first host that answers knows; `without` is not asked.
    func status(without avoided: String? = nil) -> StatusView? {
        for host in hosts where host != avoided { if let view = status(seenBy: host) { return view } }
        return nil
    }

    /// Waits until something holds.
    ///
    /// - Throws: what was waited for, when it takes longer than `patience`.
    func wait(
        for what: String,
        patience: Duration,
        interval: Duration = lookInterval,
        _ holds: () throws -> Bool
    ) throws {
        let deadline = Clock.monotonic() + patience
        while try !holds() {
            try checkInterruption()
            let now = Clock.monotonic()
            if now >= deadline { throw TourError("\(what): not within \(patience.components.seconds) s") }
            Pause.until(now + interval)
        }
    }

    /// Waits until every node, resource and server is as it should be, and returns that status.
    func waitUntilHealthy(patience: Duration = .seconds(90)) throws -> StatusView {
        var complaints = ["no agent answers"]
        var healthy: StatusView?
        do {
            try wait(for: "the cluster is healthy", patience: patience) {
                guard let view = status() else { return false }
                complaints = Self.complaints(about: view)
                if complaints.isEmpty { healthy = view }
                return complaints.isEmpty
            }
        } catch let error as TourError where !isInterrupted() {
            throw TourError("\(error): \(complaints.joined(separator: "; "))")
        }
        guard let healthy else { throw TourError("the cluster is not healthy") }
        return healthy
    }

    /// What is not as it should be.
    static func complaints(about view: StatusView) -> [String] {
        var complaints: [String] = []
        if !view.quorum.isQuorate || view.quorum.leader == nil { complaints.append("no quorum or no leader") }
        for node in view.nodes where node.state != .online || node.standby {
            complaints.append("\(node.name) is \(node.standby ? "standby" : node.state.rawValue)")
        }
        for node in view.nodes where node.digest != nil && node.digest != view.digest {
            complaints.append("\(node.name) has another configuration")
        }
        for resource in view.resources where resource.state != .started {
            complaints.append("\(resource.name) is \(resource.state.rawValue) \(resource.reason)")
        }
        for listener in view.listeners {
            if let failure = listener.failure { complaints.append("\(listener.name): \(failure)") }
            for server in listener.servers where server.health != .up {
                complaints.append("\(listener.name)/\(server.name) is \(server.health.rawValue) \(server.reason)")
            }
        }
        return complaints
    }

    /// Where a resource runs.
    func place(of resource: String, in view: StatusView?) -> String? {
        view?.resources.first { $0.name == resource && $0.state == .started }?.node
    }

    func checkInterruption() throws {
        if isInterrupted() { throw TourError("interrupted") }
    }
}
