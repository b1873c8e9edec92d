import CLinux
import ClusterModel
import Foundation
import LinuxIO
import Processes
import Synchronization
import Testing

@testable import Guard

/// What a guard resorted to.
final class Resorts: Sendable {
    let taken = Mutex<[String]>([])
}

/// A node with a lease word, a list, an address and processes, all real; the address is in a network of its own.
final class Node {
    let directory: String
    let word: LeaseWord
    var list: GuardList
    /// Unlike anybody else's: processes are killed by this name on the whole machine.
    let name: String
    private var children: [ChildProcess] = []

    static let isPossible = geteuid() == 0
    static let session = "s1"
    var lease: String { directory + "/lease" }
    var path: String { directory + "/guard" }

    init() throws {
        name = "guard-\(try SystemRandom.random128())"
        directory = "/tmp/\(name)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        word = try LeaseWord.create(path: directory + "/lease")
        let own = try #require(ProcessIdentity(runningAs: getpid()))
        list = GuardList(session: Self.session, agent: own)
        try list.write(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Runs on a thread in a network namespace of its own, where 10.7.7.7 is an address.
    static func run(_ body: @escaping @Sendable (Node) throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread {
                continuation.resume(
                    with: Result {
                        try SystemError.check("unshare") { unshare(CLONE_NEWNET) == 0 ? 0 : -Int(haven_errno()) }
                        try #require(system("ip link set lo up && ip addr add 10.7.7.7/32 dev lo") == 0)
                        try body(try Node())
                    }
                )
            }.start()
        }
    }

    /// How often the last resort was taken; nothing here ever reboots.
    let resorts = Resorts()

    /// A guard of this node; its watchdog takes so many seconds when it is given some.
    func makeGuard(watchdogTakes takes: @escaping @Sendable (Int32) -> Int = { Int($0) }) throws -> NodeGuard {
        var lastResort = LastResort(
            device: directory + "/watchdog",
            reboot: { [resorts] in resorts.taken.withLock { $0.append("reboot") } },
            command: { [resorts] in resorts.taken.withLock { $0.append("command") } }
        )
        lastResort.control = Watchdog.Control { _, seconds in takes(seconds) }
        return try NodeGuard(lease: lease, list: path, session: Self.session, lastResort: lastResort) { _ in }
    }

    func start(_ suffix: String) throws -> ProcessIdentity {
        var invocation = Invocation("/bin/sleep", ["1000"])
        invocation.environment = [ProcessMark.variable: name + suffix]
        let child = try ChildProcess(invocation)
        children.append(child)
        return try #require(ProcessIdentity(runningAs: child.pid))
    }

    func hasAddress() -> Bool { system("ip -o addr show to 10.7.7.7 | grep -q 10.7.7.7") == 0 }
}

@Suite(.enabled(if: Node.isPossible, "needs root for a network namespace of its own"), .timeLimit(.minutes(1)))
struct GuardTests {
    private static func isGone(_ process: ProcessIdentity) -> Bool {
        for _ in 0..<500 {
            if !process.isRunning { return true }
            Pause.until(Clock.monotonic() + .milliseconds(10))
        }
        return false
    }

    @Test
    func `While the lease holds nothing is touched, and the guard wakes when it ends`() async throws {
        try await Node.run { node in
            node.list.addresses = [try #require(IPAddress("10.7.7.7"))]
            node.list.leased = [node.name + "-leased"]
            try node.list.write(node.path)
            let process = try node.start("-leased")
            var nodeGuard = try node.makeGuard()
            let now = Clock.monotonic()
            node.word.end = now + .seconds(100)
            #expect(nodeGuard.pass(now: now) == now + NodeGuard.interval)
            let end = now + .seconds(100) + NodeGuard.delay
            #expect(nodeGuard.pass(now: end - .milliseconds(1)) == end)
            #expect(node.hasAddress())
            #expect(process.isRunning)
        }
    }

    @Test(arguments: [nil, -1] as [Int64?])
    func `When the lease is over addresses go and leased processes die, whatever the agent does`(
        end: Int64?
    ) async throws {
        try await Node.run { node in
            node.list.addresses = [try #require(IPAddress("10.7.7.7")), try #require(IPAddress("2001:db8::7"))]
            node.list.leased = [node.name + "-leased"]
            node.list.others = [node.name + "-other"]
            try node.list.write(node.path)
            let (leased, other, unrelated) = (try node.start("-leased"), try node.start("-other"), try node.start("-x"))
            var nodeGuard = try node.makeGuard()
            let now = Clock.monotonic()
            node.word.end = end.map { now + .seconds($0) }
            node.word.lastPass = now
            #expect(nodeGuard.pass(now: now) == now + NodeGuard.shortInterval)
            #expect(!node.hasAddress())
            #expect(Self.isGone(leased))
            #expect(other.isRunning)
            // The agent goes round its loop: it stops the others in its own way.
            let later = now + NodeGuard.patience + .seconds(1)
            node.word.lastPass = later - .seconds(1)
            _ = nodeGuard.pass(now: later)
            #expect(other.isRunning)
            // It hangs.
            _ = nodeGuard.pass(now: later + NodeGuard.longestPass)
            #expect(Self.isGone(other))
            #expect(unrelated.isRunning)
        }
    }

    @Test
    func `A lease that comes back stops the clock`() async throws {
        try await Node.run { node in
            node.list.others = [node.name + "-other"]
            try node.list.write(node.path)
            let other = try node.start("-other")
            var nodeGuard = try node.makeGuard()
            let now = Clock.monotonic()
            _ = nodeGuard.pass(now: now)
            node.word.end = now + .seconds(3)
            _ = nodeGuard.pass(now: now + .seconds(1))
            node.word.end = nil
            _ = nodeGuard.pass(now: now + NodeGuard.patience)
            _ = nodeGuard.pass(now: now + NodeGuard.patience + .seconds(1))
            #expect(other.isRunning)
            _ = nodeGuard.pass(now: now + NodeGuard.patience * 2 + .seconds(1))
            #expect(Self.isGone(other))
        }
    }

    @Test
    func `The program outlives its agent, does its work, and ends when nothing is left`() async throws {
        try await Node.run { node in
            // The agent is a process that ends; the guard is the real one.
            let agent = try ChildProcess(Invocation("/bin/sleep", ["1000"]))
            node.list.agent = try #require(ProcessIdentity(runningAs: agent.pid))
            node.list.addresses = [try #require(IPAddress("10.7.7.7"))]
            node.list.leased = [node.name + "-leased"]
            try node.list.write(node.path)
            let leased = try node.start("-leased")
            node.word.end = Clock.monotonic() + .milliseconds(300)
            let program = try #require(Self.program)
            let words = ["--lease", node.lease, "--list", node.path, "--session", Node.session, "--no-realtime"]
            let running = try ChildProcess(Invocation(program, words))
            agent.signalGroup(SIGKILL)
            _ = try agent.wait(until: Clock.monotonic() + .seconds(10)) { $0.exit != nil }
            #expect(try running.wait(until: Clock.monotonic() + .seconds(30)) { $0.exit != nil })
            #expect(running.exit == .exited(code: 0))
            #expect(!node.hasAddress())
            #expect(!leased.isRunning)
        }
    }

    @Test
    func `A guard of an earlier agent, and one without a list, ends; an unreadable list changes nothing`() async throws
    {
        try await Node.run { node in
            let program = try #require(Self.program)
            let words = ["--lease", node.lease, "--list", node.path, "--session", "earlier", "--no-realtime"]
            #expect(try ChildProcess.run(Invocation(program, words), timeout: .seconds(20)).isSuccess)
            #expect(try ChildProcess.run(Invocation(program, []), timeout: .seconds(20)).exit == .exited(code: 2))
            node.list.leased = [node.name + "-leased"]
            try node.list.write(node.path)
            let leased = try node.start("-leased")
            var nodeGuard = try node.makeGuard()
            node.word.end = Clock.monotonic() + .seconds(100)
            _ = nodeGuard.pass(now: Clock.monotonic())
            try Data("haven-guard-1 cut".utf8).write(to: URL(fileURLWithPath: node.path))
            node.word.end = nil
            _ = nodeGuard.pass(now: Clock.monotonic())
            #expect(Self.isGone(leased))
            try FileManager.default.removeItem(atPath: node.path)
            nodeGuard.run()
        }
    }

    @Test
    func `A list survives its file, and a damaged file is none`() throws {
        var list = GuardList(session: "a1", agent: ProcessIdentity(pid: 7, startTicks: 99))
        list.addresses = [try #require(IPAddress("10.0.0.1")), try #require(IPAddress("2001:db8::1"))]
        list.leased = ["database"]
        list.others = ["files", "queue"]
        list.selfFence = .watchdog
        list.watchdogSeconds = 7
        #expect(GuardList(parsing: list.encoded) == list)
        for length in 0..<list.encoded.count - 1 {
            #expect(GuardList(parsing: Array(list.encoded.prefix(length))) == nil)
        }
        #expect(GuardList(parsing: Array("haven-guard-1 a 1 2\naddress x\nend\n".utf8)) == nil)
        #expect(GuardList(parsing: Array("haven-guard-2 a 1 2\nend\n".utf8)) == nil)
    }

    /// The program that was built beside these tests.
    private static let program: String? = {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = test.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        while let last = directory.last, last.hasSuffix(".xctest") || last == "Contents" { directory.removeLast() }
        let path = directory.joined(separator: "/") + "/haven-guard"
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()
}
