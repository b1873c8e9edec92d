import CLinux
import ClusterModel
import LinuxIO
import Synchronization

/// A TCP server that does on each connection what the test says; a thread serves one connection after the other.
final class ScriptedServer: Sendable {
    let endpoint: Endpoint
    private let listening: Int32
    private let stopped = Atomic<Bool>(false)
    private let count = Atomic<Int>(0)
    private let script: Mutex<@Sendable (ScriptedPeer) -> Void>
    private let thread = Mutex<ThreadBox?>(nil)

    // SAFETY: joined by the owner only.
    private struct ThreadBox: @unchecked Sendable { let thread: TestThread }

    /// Listens on a free port.
    init(_ script: @escaping @Sendable (ScriptedPeer) -> Void) throws {
        (listening, endpoint) = try TestNet.listen()
        self.script = Mutex(script)
        let address = UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        let running = TestThread {
            guard let pointer = UnsafeRawPointer(bitPattern: address) else { return }
            Unmanaged<ScriptedServer>.fromOpaque(pointer).takeUnretainedValue().run()
        }
        thread.withLock { $0 = ThreadBox(thread: running) }
    }

    deinit { stop() }

    /// Connections so far.
    var connections: Int { count.load(ordering: .relaxed) }

    /// Changes what it says from the next connection on.
    func say(_ script: @escaping @Sendable (ScriptedPeer) -> Void) { self.script.withLock { $0 = script } }

    /// Stops listening.
    func stop() {
        guard !stopped.exchange(true, ordering: .relaxed) else { return }
        _ = haven_shutdown(listening, Int32(SHUT_RDWR))
        thread.withLock { $0 }?.thread.join()
        _ = haven_close(listening)
    }

    private func run() {
        while !stopped.load(ordering: .relaxed) {
            guard haven_poll_one(listening, Int16(POLLIN), 60_000) > 0 else { continue }
            guard let (number, _) = try? StreamSocket.accept(from: listening) else { continue }
            count.add(1, ordering: .relaxed)
            let body = script.withLock { $0 }
            body(ScriptedPeer(number: number))
            _ = haven_close(number)
        }
    }
}

/// The server's end of a connection.
struct ScriptedPeer {
    let number: Int32
    private static let patience: Int32 = 2000

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) { _ = haven_send(number, bytes, bytes.count, 0) }

    /// What the other side says next; empty when it closes or says nothing.
    func hear() -> [UInt8] {
        guard haven_poll_one(number, Int16(POLLIN), Self.patience) > 0 else { return [] }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = haven_recv(number, &chunk, chunk.count, 0)
        return count > 0 ? Array(chunk[..<count]) : []
    }

    /// Everything until the other side closes.
    func hearAll() -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = hear()
            if more.isEmpty { return all }
            all += more
        }
    }
}
