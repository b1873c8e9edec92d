import AdminAPI
import ClusterModel
import Foundation
import Lab
import LinuxIO
import Processes
import Testing

/// The cluster on a lab's hosts, as an operator and a client see it.
struct TestCluster: Sendable {
    let lab: Lab

    @TaskLocal static var inScope: TestCluster?

    /// The cluster of the running suite.
    static func current() throws -> TestCluster { try #require(inScope, "the suite has no lab") }

    /// Far longer than anything here takes; reached only by a failing test.
    static let patience = Duration.seconds(40)
    /// The time between two looks at what somebody else does.
    private static let lookInterval = Duration.milliseconds(50)

    static let virtualAddress = "10.99.0.30"

    /// Makes the hosts a cluster, unless they are one already.
    func setUp() throws {
        if status("ctl1") != nil { return }
        try haven("ctl1", "cluster", "setup", "--start", "--name", "openstack", "ctl1", "ctl2", "ctl3")
        try waitUntil("all nodes are online", on: "ctl1") { $0.online == ["ctl1", "ctl2", "ctl3"] }
    }

    /// Runs a program on a host, to be looked at.
    func run(_ host: String, _ words: [String], timeout: Duration = .seconds(90)) throws -> RunResult {
        try lab.host(host).run(words, timeout: timeout)
    }

    /// Runs a command of the operator on a host; it must succeed.
    @discardableResult
    func haven(_ host: String, _ words: String...) throws -> String {
        let result = try run(host, ["haven"] + words)
        let isDone = result.isSuccess
        try #require(
            isDone,
            "\(host): haven \(words.joined(separator: " ")): \(result.exit) \(result.errors.text)\(logs())"
        )
        return result.output.text
    }

    /// Runs a command of the operator that must fail with this exit code; returns what it says.
    @discardableResult
    func refused(_ code: Int32, _ host: String, _ words: String...) throws -> String {
        let result = try run(host, ["haven"] + words)
        let exit = result.exit
        #expect(exit == .exited(code: code), "\(words): \(result.output.text) \(result.errors.text)")
        return result.errors.text
    }

    /// Runs a shell script on a host; it must succeed.
    @discardableResult
    func shell(_ host: String, _ script: String, input: String = "") throws -> String {
        try Self.shell(lab.host(host), script, input: input)
    }

    @discardableResult
    static func shell(_ host: LabHost, _ script: String, input: String = "") throws -> String {
        let result = try host.run(["sh", "-euc", script], input: Array(input.utf8), timeout: patience)
        let isDone = result.isSuccess
        try #require(isDone, "\(host.name): \(script): \(result.exit) \(result.errors.text)")
        return result.output.text
    }

    /// The status that a node gives; nil when it gives none now.
    func status(_ host: String) -> StatusView? {
        guard let result = try? lab.host(host).run(["haven", "status", "--json"]), result.isSuccess else { return nil }
        return try? JSONDecoder().decode(StatusView.self, from: Data(result.output.bytes))
    }

    /// Waits until the status of a node satisfies a condition; returns it.
    @discardableResult
    func waitUntil(
        _ what: String,
        on host: String,
        within limit: Duration = patience,
        _ condition: (StatusView) -> Bool
    ) throws -> StatusView {
        var last: StatusView?
        let found = try? Self.poll(within: limit) {
            last = status(host) ?? last
            return last.map(condition) == true ? last : nil
        }
        return try #require(found, "not within \(limit): \(what)\n\(text(last))\(logs())")
    }

    /// Waits until something is there.
    static func poll<Found>(within limit: Duration = patience, _ look: () throws -> Found?) throws -> Found? {
        let deadline = Clock.monotonic() + limit
        while true {
            if let found = try look() { return found }
            let now = Clock.monotonic()
            if now > deadline { return nil }
            Pause.until(now + lookInterval)
        }
    }

    /// Waits until a condition holds.
    func wait(_ what: String, within limit: Duration = patience, _ condition: () throws -> Bool) throws {
        let found = try Self.poll(within: limit) { try condition() ? true : nil }
        try #require(found != nil, "not within \(limit): \(what)\(logs())")
    }

    /// A virtual IP of the service network, as a resource of that name.
    func createAddress(_ address: String, named name: String = "VirtualIP") throws {
        try haven("ctl1", "resource", "create", name, "IPaddr2", "ip=\(address)", "cidr_netmask=24")
    }

    /// What a client gets from a URL; nil when nothing answers.
    func fetch(_ url: String, _ options: [String] = []) throws -> String? {
        let result = try lab.client.run(["curl", "--silent", "--max-time", "1"] + options + [url])
        return result.isSuccess ? result.output.text : nil
    }

    /// The hosts that have an address, looked up inside of each.
    func owners(of address: String) throws -> [String] {
        try lab.hosts.filter { host in
            guard host.isOn else { return false }
            return try host.run(["ip", "-o", "address", "show", "to", address]).output.text.contains(address)
        }.map(\.name)
    }

    /// The newest log lines of every host, for a failure's message.
    private func logs() -> String {
        lab.hosts.filter(\.isOn).map { host in
            let lines = (try? host.run(["tail", "-n", "25", "/var/log/haven/havend.log"]))?.output.text ?? ""
            return "\n--- \(host.name)\n\(lines)"
        }.joined()
    }

    private func text(_ view: StatusView?) -> String {
        guard let view else { return "no status" }
        return (try? AdminCodec.text(view)) ?? ""
    }
}

extension StatusView {
    /// The names of the nodes that are part of the cluster now.
    var online: [String] { nodes.filter { $0.state == .online }.map(\.name) }

    func state(of node: String) -> NodeView.State? { nodes.first { $0.name == node }?.state }

    func resource(_ name: String) -> ResourceView? { resources.first { $0.name == name } }

    /// The node that a resource runs on; nil while it does not.
    func place(of name: String) -> String? {
        resource(name).flatMap { $0.state == .started ? $0.node : nil }
    }

    /// The newest fence of a node.
    func fence(of node: String) -> FenceRecord? { fences.first { $0.node == node }?.record }
}
