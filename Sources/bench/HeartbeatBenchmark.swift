import Bytes
import CLinux
import ClusterModel
import ClusterSetup
import FoundationEssentials
import LinuxIO
import Processes
import Store

/// What a cluster of real agents costs when nothing happens: processor time of each agent, all threads.
///
/// All agents run on one machine, each at a loopback address of its own in a network namespace that ends with this
/// process. They are a cluster like any other: sealed heartbeats on real sockets, elections, leases.
struct HeartbeatBenchmark {
    private var nodes: [Int] = [5, 32]
    private var seconds = 10
    private var agent: String

    /// What an agent may need of one processor, in thousandths, by the size of the cluster.
    private static func limitPerMille(_ nodes: Int) -> Double { nodes <= 5 ? 10 : 50 }

    /// How much more than the median an agent may have taken for a figure to mean anything.
    private static let mostUneven = 4.0

    init?(_ words: ArraySlice<String>) {
        agent = Programs.beside("havend")
        var rest = words
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch option {
            case "--nodes":
                guard let count = Int(value), (2...32).contains(count) else { return nil }
                nodes = [count]
            case "--seconds":
                guard let count = Int(value), (1...60).contains(count) else { return nil }
                seconds = count
            case "--agent": agent = value
            default: return nil
            }
        }
    }

    /// Whether every cluster stays below its limit.
    func run() throws -> Bool {
        guard geteuid() == 0 else { throw BenchmarkError("needs root: it makes a network namespace of its own") }
        guard access(agent, X_OK) == 0 else { throw BenchmarkError("\(agent) is not there; build it in release mode") }
        guard let ip = Invocation.find("ip") else { throw BenchmarkError("ip is missing") }
        // From here on the machine's own network is out of reach.
        try SystemError.check("unshare") { haven_unshare(CLONE_NEWNET) }
        let up = try ChildProcess.run(Invocation(ip, ["link", "set", "lo", "up"]), timeout: .seconds(10))
        guard up.isSuccess else { throw BenchmarkError("ip link set lo up: \(up.errors.text)") }
        var isGood = true
        print("| nodes | processor of one agent, median | worst | memory MiB |")
        print("|---|---|---|---|")
        for count in nodes { isGood = try measure(count) && isGood }
        return isGood
    }

    private func measure(_ count: Int) throws -> Bool {
        let directory = "/tmp/haven-bench-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var agents: [ChildProcess] = []
        defer { for agent in agents { _ = try? agent.stop(.terminate(grace: .seconds(5))) } }
        for identity in try identities(count) {
            let place = "\(directory)/n\(identity.node.rawValue)"
            let paths = AgentPaths(state: "\(place)/state", run: "\(place)/run")
            let state = StateDirectory(path: paths.state)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try state.create()
            _ = try DurableStore.create(in: state)
            try identity.store(paths.identity)
            let words = ["--state", paths.state, "--run", paths.run, "--no-realtime"]
            agents.append(try ChildProcess(Invocation(agent, words)))
        }
        // Elections, probes of path sizes and the first snapshots are over.
        Pause.until(Clock.monotonic() + .seconds(8 + Int64(count) / 2))
        let before = try agents.map { try ProcessUsage(pid: $0.pid) }
        let began = Clock.monotonic()
        Pause.until(began + .seconds(Int64(seconds)))
        let after = try agents.map { try ProcessUsage(pid: $0.pid) }
        let elapsed = Double((Clock.monotonic() - began).nanoseconds)
        let shares = zip(before, after).map { Double($1.nanoseconds - $0.nanoseconds) / elapsed * 1000 }.sorted()
        let memory = after.map(\.residentBytes).max() ?? 0
        guard let worst = shares.last else { return false }
        let median = shares[shares.count / 2]
        func percent(_ perMille: Double) -> String { "\(Report.fixed(perMille / 10, 2))%" }
        print("| \(count) | \(percent(median)) | \(percent(worst)) | \(Report.fixed(Double(memory) / 1_048_576, 1)) |")
        // All do the same work, the leader a little more: where some took next to nothing they did not get to run.
        guard median * Self.mostUneven >= worst else {
            print("some agents did not get to run: other work keeps this machine too busy for this measurement")
            return false
        }
        return median < Self.limitPerMille(count)
    }

    private func identities(_ count: Int) throws -> [Identity] {
        let list = (1...count).compactMap { number -> Node? in
            guard let address = IPAddress(bytes: [127, 1, 0, UInt8(number)]) else { return nil }
            return Node(id: NodeID(UInt8(number)), name: "n\(number)", addresses: [address])
        }
        let cluster = try SystemRandom.random128()
        let secret = Secret(Hex.encode(try SystemRandom.bytes(32)))
        return list.map { Identity(cluster: cluster, clusterName: "bench", secret: secret, node: $0.id, nodes: list) }
    }
}
