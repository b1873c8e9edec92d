import Foundation
import Store
import Testing

/// The test program starts itself again as the process that dies or fills its disk.
private enum Child {
    static let variable = "HAVEN_STORE_CHILD"

    static func command(_ role: String, _ path: String) -> [String] {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let environment = "\(variable)=\(role):\(path)"
        return ["/usr/bin/env", environment, program, "--testing-library", "swift-testing", "--filter", "StoreChild"]
    }
}

@Suite
struct CrashTests {
    @Test
    func `A process killed at any moment loses nothing that it acknowledged`() throws {
        let scratch = try ScratchDirectory()
        try { _ = try DurableStore.create(in: scratch.state) }()
        for _ in 0..<6 {
            let kept = try Self.killWhileAppending(scratch, after: Int.random(in: 1...40))
            let state = try DurableStore.open(in: scratch.state).recover()
            #expect(state.lastIndex >= kept.last, "acknowledged \(kept.last), found \(state.lastIndex)")
            #expect(state.vote.term >= kept.last)
            #expect(state.incarnation >= kept.incarnation)
            #expect(state.entries == entries(1...max(1, state.lastIndex)).filter { $0.index <= state.lastIndex })
        }
    }

    /// Starts a child that appends entry after entry, and kills it once it has acknowledged `count` of them.
    private static func killWhileAppending(
        _ scratch: ScratchDirectory,
        after count: Int
    ) throws -> (last: UInt64, incarnation: UInt64) {
        let process = Process()
        let command = Child.command("append", scratch.state.path)
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command[1...])
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        var output = Data()
        while String(decoding: output, as: UTF8.self).components(separatedBy: "acknowledged ").count <= count {
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { break }
            output += more
        }
        kill(process.processIdentifier, SIGKILL)
        output += pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        // The last line may be cut; what stands in a whole line was acknowledged.
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        func newest(_ word: String) -> UInt64 {
            lines.dropLast().compactMap { $0.hasPrefix(word) ? UInt64($0.dropFirst(word.count)) : nil }.max() ?? 0
        }
        #expect(newest("incarnation ") > 0, "the child did not begin: \(lines)")
        #expect(newest("acknowledged ") > 0, "the child did nothing: \(lines)")
        return (newest("acknowledged "), newest("incarnation "))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for a small file system of its own"))
    func `A full disk is an error, loses nothing, and ends when there is room again`() throws {
        let scratch = try ScratchDirectory()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        let mount = "mount -t tmpfs -o size=1m,mode=700 tmpfs \"$0\" && exec \"$@\""
        process.arguments =
            ["-m", "--propagation", "private", "/bin/sh", "-c", mount, scratch.state.path]
            + Child.command("fill", scratch.state.path)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(output.contains("full disk survived"), "\(output)")
    }
}

@Suite
struct StoreChild {
    private static let role = ProcessInfo.processInfo.environment[Child.variable]?.split(separator: ":").map(
        String.init
    )

    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    @Test(.enabled(if: role?.first == "append", "runs only as the child of a crash test"))
    func `Appends until killed`() throws {
        let path = try #require(Self.role?.last)
        let store = try DurableStore.open(in: StateDirectory(path: path))
        Self.say("")
        Self.say("incarnation \(try store.beginIncarnation())")
        var index = try store.recover().lastIndex
        // Bounded, should the parent die without killing.
        for _ in 0..<100_000 {
            index += 1
            var batch = DurableBatch()
            batch.vote = StoredVote(term: index, votedFor: 1)
            batch.entries = entries(index...index)
            try store.write(batch)
            Self.say("acknowledged \(index)")
        }
    }

    @Test(.enabled(if: role?.first == "fill", "runs only as the child of the full disk test"))
    func `Fills its disk`() throws {
        let directory = StateDirectory(path: try #require(Self.role?.last))
        let ballast = directory.path + "/ballast"
        var store: DurableStore? = try DurableStore.create(in: directory)
        #expect(FileManager.default.createFile(atPath: ballast, contents: Data(count: 300_000)))
        let payload = [UInt8](repeating: 7, count: 20_000)
        var last: UInt64 = 0
        var failure: StoreError?
        while failure == nil, last < 1000 {
            var batch = DurableBatch()
            batch.entries = [StoredEntry(index: last + 1, term: 1, kind: 0, payload: payload)]
            do {
                try store?.write(batch)
                last += 1
            } catch { failure = error }
        }
        #expect(failure == .diskFull(path: directory.path(of: .state)))
        #expect(try store?.recover().lastIndex == last)
        try FileManager.default.removeItem(atPath: ballast)
        var batch = DurableBatch()
        batch.entries = [StoredEntry(index: last + 1, term: 1, kind: 0, payload: [1])]
        try store?.write(batch)
        store = nil
        #expect(try DurableStore.open(in: directory).recover().lastIndex == last + 1)
        if failure == .diskFull(path: directory.path(of: .state)) { Self.say("full disk survived") }
    }
}
