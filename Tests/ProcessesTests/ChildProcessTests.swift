import CLinux
import ClusterModel
import LinuxIO
import Processes
import Testing

/// Far longer than anything here takes; reached only by a failing test.
private let patience = Duration.seconds(30)

private func shell(_ script: String, _ words: [String] = []) -> Invocation {
    Invocation("/bin/sh", ["-c", script, "sh"] + words)
}

@Suite
struct ChildProcessTests {
    @Test
    func `Words arrive unchanged, output and errors are kept apart`() throws {
        let words = ["a b", "$(id)", "", "ü\n"]
        let result = try ChildProcess.run(shell("printf '<%s>' \"$@\"; echo bad >&2; exit 7", words), timeout: patience)
        #expect(result.output.text == "<a b><$(id)><><ü\n>")
        #expect(result.errors.text == "bad\n")
        #expect(result.exit == .exited(code: 7))
        #expect(!result.isSuccess)
        #expect(!result.timedOut)
    }

    @Test
    func `Input larger than a pipe reaches the program while it writes it back`() throws {
        let bytes = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var call = Invocation("/bin/cat")
        call.input = .bytes(bytes)
        call.output = .capture(limit: 1_000_000)
        let result = try ChildProcess.run(call, timeout: patience)
        #expect(result.output.bytes == bytes)
        #expect(result.output.dropped == 0)
    }

    @Test
    func `A program that does not read its input is no error`() throws {
        var call = shell("exec <&-; echo done")
        call.input = .bytes(Array(repeating: 65, count: 1_000_000))
        let result = try ChildProcess.run(call, timeout: patience)
        #expect(result.isSuccess)
        #expect(result.output.text == "done\n")
    }

    @Test
    func `A flood is cut at the limit, counted, and does not block the program`() throws {
        var call = shell("head -c 3000000 /dev/zero; echo end >&2")
        call.output = .capture(limit: 1000)
        let result = try ChildProcess.run(call, timeout: patience)
        #expect(result.isSuccess)
        #expect(result.output.bytes.count == 1000)
        #expect(result.output.dropped == 2_999_000)
        #expect(result.errors.text == "end\n")
    }

    @Test
    func `A program that hangs is stopped with its children, and says so`() throws {
        let call = shell("sleep 1000 & echo $!; wait")
        let result = try ChildProcess.run(call, timeout: .milliseconds(300))
        #expect(result.timedOut)
        #expect(result.exit == .killed(signal: 9))
        let orphan = try #require(Int32(result.output.text.dropLast()))
        #expect(isGone(orphan))
    }

    @Test
    func `Stop sends TERM first, and the program may end in its own way`() throws {
        let child = try ChildProcess(shell("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done"))
        try #require(try child.wait(until: Clock.monotonic() + patience) { !$0.output.bytes.isEmpty })
        #expect(try child.stop(.terminate(grace: patience)) == .exited(code: 5))
        #expect(child.output.text == "up\nbye\n")
    }

    @Test
    func `Stop kills what ignores TERM`() throws {
        let child = try ChildProcess(shell("trap '' TERM; echo up; while :; do sleep 0.01; done"))
        try #require(try child.wait(until: Clock.monotonic() + patience) { !$0.output.bytes.isEmpty })
        #expect(try child.stop(.terminate(grace: .milliseconds(50))) == .killed(signal: 9))
    }

    @Test
    func `A daemon left behind that holds the output does not delay the end`() throws {
        let result = try ChildProcess.run(shell("echo before; sleep 1000 & echo $!"), timeout: patience)
        #expect(result.isSuccess)
        let daemon = try #require(Int32(result.output.text.split(separator: "\n").last ?? ""))
        #expect(haven_kill(daemon, 0) == 0)
        _ = haven_kill(daemon, SIGKILL)
    }

    @Test
    func `Leftovers are killed with the process if asked for`() throws {
        var call = shell("sleep 1000 & echo $!")
        call.leftovers = .kill
        let result = try ChildProcess.run(call, timeout: patience)
        let daemon = try #require(Int32(result.output.text.dropLast()))
        #expect(isGone(daemon))
    }

    @Test
    func `A program that is not there is an error that names it`() {
        let failure = SystemError(call: "start", subject: "/nonexistent/tool", code: ENOENT)
        #expect(throws: failure) { try ChildProcess(Invocation("/nonexistent/tool")) }
        #expect(throws: SystemError(call: "start", subject: "/usr/share", code: EACCES)) {
            try ChildProcess(Invocation("/usr/share"))
        }
    }

    @Test
    func `Only the passed descriptors are there, in order`() throws {
        let stray = try Descriptor.open("/dev/null", O_RDONLY)
        // Without close-on-exec, as a library might leave it.
        _ = haven_fcntl(stray.number, F_SETFD, 0)
        let host = try Descriptor.open("/etc/hostname", O_RDONLY)
        let zero = try Descriptor.open("/dev/zero", O_RDONLY)
        var call = Invocation("/bin/ls", ["-l", "/proc/self/fd"])
        call.passed = [zero.number, host.number]
        let lines = try ChildProcess.run(call, timeout: patience).output.text.split(separator: "\n")
        let links = lines.compactMap { line in line.firstRange(of: " -> ").map { line[$0.upperBound...] } }
        // The three standard ones, the two passed, and the directory that ls itself opened.
        #expect(links.count == 6)
        #expect(links.dropFirst(3).prefix(2) == ["/dev/zero", "/etc/hostname"])
    }

    @Test
    func `Environment and directory are those asked for`() throws {
        var call = shell("/bin/pwd; echo \"$A-$HOME\"")
        call.environment = ["A": "x", "PATH": Invocation.searchPath]
        call.directory = "/usr/share"
        #expect(try ChildProcess.run(call, timeout: patience).output.text == "/usr/share\nx-\n")
    }

    @Test
    func `The child has its own group, or session, and default signals`() throws {
        // No shell: it blocks signals itself while it starts others.
        var call = Invocation("/bin/cat", ["/proc/self/stat", "/proc/self/status"])
        _ = haven_signalfd([SIGUSR1], 1)
        for newSession in [false, true] {
            call.newSession = newSession
            let child = try ChildProcess(call)
            try child.wait(until: Clock.monotonic() + patience) { $0.exit != nil }
            let lines = child.output.text.split(separator: "\n")
            let fields = try #require(lines.first).split(separator: " ")
            #expect(fields[4] == "\(child.pid)")
            #expect((fields[5] == "\(child.pid)") == newSession)
            #expect(lines.filter { $0.hasPrefix("SigBlk") } == ["SigBlk:\t0000000000000000"])
            // Signals 32 and 33 are glibc's own and beyond anyone's reach.
            let ignored = try #require(lines.first { $0.hasPrefix("SigIgn") }).dropFirst("SigIgn:\t".count)
            #expect(try #require(UInt64(ignored, radix: 16)) & ~0x1_8000_0000 == 0)
        }
    }

    @Test
    func `Output can be appended to a file that only the owner reads`() throws {
        let path = "/tmp/haven-processes-\(Clock.monotonic().nanoseconds)"
        defer { unlink(path) }
        for word in ["one", "two"] {
            var call = Invocation("/bin/echo", [word])
            call.output = .append(path: path)
            #expect(try ChildProcess.run(call, timeout: patience).isSuccess)
        }
        let listing = try ChildProcess.run(Invocation("/usr/bin/stat", ["-c", "%a", path]), timeout: patience)
        #expect(listing.output.text == "600\n")
        let text = try ChildProcess.run(Invocation("/bin/cat", [path]), timeout: patience).output.text
        #expect(text == "one\ntwo\n")
    }

    @Test
    func `An event loop hears of output and end under one token`() throws {
        let child = try ChildProcess(shell("echo one; read line; echo two"))
        var poller = try Poller()
        try child.register(in: &poller, token: 42)
        var tokens: Set<UInt64> = []
        while child.exit == nil {
            var events: [Poller.Event] = []
            let now = Clock.monotonic()
            try poller.wait(until: now + patience, now: now, into: &events)
            try #require(!events.isEmpty)
            tokens.formUnion(events.map(\.token))
            child.progress()
        }
        #expect(tokens == [42])
        #expect(child.output.text == "one\ntwo\n")
    }
}

/// Whether a killed process has really ended; waits for the kernel to finish it.
private func isGone(_ pid: Int32) -> Bool {
    let descriptor = haven_pidfd_open(pid)
    guard descriptor >= 0 else { return true }
    let owned = Descriptor(owning: Int32(descriptor))
    guard var poller = try? Poller() else { return false }
    try? poller.add(owned.number, .read, token: 0)
    var events: [Poller.Event] = []
    let now = Clock.monotonic()
    try? poller.wait(until: now + patience, now: now, into: &events)
    return !events.isEmpty
}
