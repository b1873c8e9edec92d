import CLinux
import ClusterModel
import LinuxIO
import Processes
import Recovery
import Testing

@testable import ResourceRunner

@Suite(.timeLimit(.minutes(1)))
struct ProcessTests {
    private let scratch: Scratch
    private let stand: Stand

    init() throws {
        scratch = try Scratch()
        stand = try Stand(scratch)
    }

    private func pid(_ file: String = "pid") async throws -> Int32 {
        #expect(try await eventually { scratch.read(file).hasSuffix("\n") })
        return try #require(Int32(scratch.read(file).dropLast()))
    }

    @Test
    func `Started, seen, stopped, gone`() async throws {
        let app = shell(scratch.resource("app"), "echo $$ >\(scratch.path)/pid; echo hello; exec sleep 1000")
        #expect(try await stand.run(.probe, app) == .notRunning)
        #expect(try await stand.run(.start, app) == .succeeded)
        #expect(try await stand.run(.monitor, app) == .succeeded)
        #expect(try await stand.run(.start, app) == .succeeded)
        let pid = try await pid()
        #expect(!isGone(pid))
        #expect(scratch.read("log/\(app.name).log") == "hello\n")
        #expect(try await stand.run(.stop, app) == .succeeded)
        #expect(isGone(pid))
        #expect(try await stand.run(.monitor, app) == .notRunning)
        #expect(try await stand.run(.stop, app) == .succeeded)
        #expect(access("\(scratch.path)/run/resources/\(app.name).process", F_OK) != 0)
    }

    @Test
    func `A death is told at once, with its reason and the start that it belongs to`() async throws {
        let app = shell(scratch.resource("app"), "read x <\(scratch.path)/fifo; exit 3")
        #expect(mkfifo("\(scratch.path)/fifo", 0o600) == 0)
        let start = stand.begin(.start, app)
        #expect(try await stand.end(of: start).outcome == .succeeded)
        try scratch.write("fifo", "now\n")
        #expect(await stand.next() == .processExited(app.name, startedBy: start, reason: "exit code 3"))
        #expect(try await stand.run(.monitor, app) == .notRunning)
    }

    @Test
    func `A program that cannot be started is told with its reason`() async throws {
        let missing = process(scratch.resource("app"), ["/nonexistent/daemon"])
        let reason = "start /nonexistent/daemon: No such file or directory"
        #expect(try await stand.run(.start, missing) == .failed(reason))
        #expect(try await stand.run(.probe, missing) == .notRunning)
        let relative = process(scratch.resource("app"), ["daemon"])
        #expect(try await stand.run(.start, relative) == .failed("start daemon: No such file or directory"))
        let stranger = process(scratch.resource("app"), ["/bin/sleep", "1"]) { $0.user = "no-such-user" }
        #expect(try await stand.run(.start, stranger) == .failed("user no-such-user: No such file or directory"))
    }

    @Test
    func `What ignores TERM is killed with its whole group, and also what left the group`() async throws {
        let script = """
            trap '' TERM
            setsid sh -c 'trap "" TERM; echo $$ >\(scratch.path)/escaped; while :; do sleep 1000; done' &
            sh -c 'trap "" TERM; echo $$ >\(scratch.path)/member; while :; do sleep 1000; done' &
            echo $$ >\(scratch.path)/pid
            while :; do sleep 1000; done
            """
        let app = shell(scratch.resource("app"), script)
        #expect(try await stand.run(.start, app) == .succeeded)
        let pids = [try await pid(), try await pid("member"), try await pid("escaped")]
        #expect(try await stand.run(.stop, app, within: .milliseconds(200)) == .succeeded)
        for pid in pids { #expect(isGone(pid)) }
    }

    @Test
    func `A process may end in its own way when it is asked to`() async throws {
        let script = "trap 'echo bye; exit 0' TERM; echo $$ >\(scratch.path)/pid; while :; do sleep 0.01; done"
        let app = shell(scratch.resource("app"), script)
        #expect(try await stand.run(.start, app) == .succeeded)
        _ = try await pid()
        #expect(try await stand.run(.stop, app) == .succeeded)
        #expect(scratch.read("log/\(app.name).log").hasSuffix("bye\n"))
    }

    @Test
    func `Kill does not ask`() async throws {
        let app = shell(
            scratch.resource("app"),
            "trap 'echo bye' TERM; echo $$ >\(scratch.path)/pid; sleep 1000; sleep 1000"
        )
        #expect(try await stand.run(.start, app) == .succeeded)
        let pid = try await pid()
        #expect(try await stand.run(.kill, app) == .succeeded)
        #expect(isGone(pid))
        #expect(scratch.read("log/\(app.name).log").isEmpty)
    }

    @Test
    func `A restarted agent finds the process, is told of its death, and can stop it`() async throws {
        let app = shell(scratch.resource("app"), "echo $$ >\(scratch.path)/pid; exec sleep 1000")
        #expect(try await stand.run(.start, app) == .succeeded)
        let first = try await pid()
        stand.runner.shutDown()

        let second = try Stand(scratch)
        let probe = second.begin(.probe, app)
        #expect(try await second.end(of: probe).outcome == .succeeded)
        #expect(try await second.run(.monitor, app) == .succeeded)
        #expect(haven_kill(first, SIGKILL) == 0)
        let reason = "it ended; how is not known, an earlier agent had started it"
        #expect(await second.next() == .processExited(app.name, startedBy: probe, reason: reason))
        #expect(try await second.run(.stop, app) == .succeeded)

        #expect(unlink("\(scratch.path)/pid") == 0)
        #expect(try await second.run(.start, app) == .succeeded)
        let next = try await pid()
        second.runner.shutDown()
        let third = try Stand(scratch)
        #expect(try await third.run(.stop, app) == .succeeded)
        #expect(isGone(next))
        #expect(try await third.run(.probe, app) == .notRunning)
    }

    @Test
    func `A record of a process that is long gone, or of another one's number, is not believed`() async throws {
        let app = shell(scratch.resource("app"), "exec sleep 1000")
        // This very process has that number, but did not start then.
        try scratch.write("run/resources/\(app.name).process", "haven-process-1 \(getpid()) 1\n")
        #expect(try await stand.run(.probe, app) == .notRunning)
        try scratch.write("run/resources/\(app.name).process", "rubbish")
        #expect(try await stand.run(.probe, app) == .notRunning)
        #expect(access("\(scratch.path)/run/resources/\(app.name).process", F_OK) != 0)
    }

    @Test
    func `An agent that died while it started a process leaves a trace that the next one follows`() async throws {
        let app = shell(scratch.resource("app"), "exec sleep 1000")
        var call = Invocation("/bin/sleep", ["1000"])
        call.environment = [ProcessMark.variable: app.name]
        let orphan = try ChildProcess(call)
        try scratch.write("run/resources/\(app.name).process", "haven-process-1 starting\n")
        let outcome = try await stand.run(.probe, app)
        #expect(outcome == .failed("its process is gone, but has left others behind: \(orphan.pid)"))
        #expect(try await stand.run(.start, app) == outcome)
        #expect(try await stand.run(.stop, app) == .succeeded)
        #expect(isGone(orphan.pid))
        #expect(try await stand.run(.probe, app) == .notRunning)
    }

    @Test
    func `Directory, environment and user are those asked for`() async throws {
        try #require(getuid() == 0, "only root starts processes as other users")
        let name = scratch.resource("app")
        let app = process(
            name,
            ["/bin/sh", "-c", "pwd; id -un; id -Gn; echo $A-$HAVEN_RESOURCE; exec grep SigBlk /proc/self/status"]
        ) {
            $0.directory = "/usr/share"
            $0.user = "nobody"
            $0.environment = ["A": "x y"]
        }
        #expect(try await stand.run(.start, app) == .succeeded)
        guard case .processExited(_, _, let reason) = await stand.next() else { throw CancellationError() }
        #expect(reason == "exit code 0")
        let expected = "/usr/share\nnobody\nnogroup\nx y-\(name)\nSigBlk:\t0000000000000000\n"
        #expect(scratch.read("log/\(name).log") == expected)
        try scratch.write("private", "#!/bin/sh\n", mode: 0o700)
        let forbidden = process(name, ["\(scratch.path)/private"]) { $0.user = "nobody" }
        #expect(try await stand.run(.start, forbidden) == .failed("start \(scratch.path)/private: Permission denied"))
    }

    @Test
    func `A log that became long is turned over without losing its newest lines`() throws {
        try scratch.write("log/app.log", String(repeating: "old line\n", count: 200) + "newest\n")
        let logs = ProcessLogs(directory: "\(scratch.path)/log")
        logs.turnOver("app", limit: 4000)
        #expect(scratch.read("log/app.log.1").isEmpty)
        logs.turnOver("app", limit: 1000)
        #expect(scratch.read("log/app.log").isEmpty)
        #expect(scratch.read("log/app.log.1").hasSuffix("old line\nnewest\n"))
        #expect(scratch.read("log/app.log.1").utf8.count == 1000)
    }

    @Test
    func `A name that is a path is refused`() async throws {
        let app = shell("../escape", "exec sleep 1")
        guard case .failed = try await stand.run(.start, app) else {
            Issue.record("started")
            return
        }
    }
}
