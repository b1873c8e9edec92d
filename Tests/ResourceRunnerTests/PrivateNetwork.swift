import CLinux
import ClusterModel
import LinuxIO
import Processes
import Supervision
import Synchronization
import Testing

/// A thread in a network namespace of its own, with two ends of a cable, `v0` (10.9.9.1/24, 2001:db8::1/64) and `v1`.
///
/// Threads and processes that are started on it live there too. It goes when the thread and they have ended.
final class PrivateNetwork: Sendable {
    private let worker: Worker<@Sendable (EventLoop) -> Void>

    static let isPossible = getuid() == 0

    init() async throws {
        worker = try Worker(name: "private-net", limit: 16) { loop in { $0(loop) } }
        try await run {
            try SystemError.check("unshare") { unshare(CLONE_NEWNET) == 0 ? 0 : -Int(haven_errno()) }
            try Self.ip("link set lo up")
            try Self.ip("link add v0 type veth peer name v1")
            // The far end stands for the network: it must not answer for what this machine has on another interface.
            try Descriptor.open("/proc/sys/net/ipv4/conf/v1/arp_ignore", O_WRONLY)
                .writeAll(Array("1".utf8))
            try Self.ip("link set v0 up")
            try Self.ip("link set v1 up")
            try Self.ip("addr add 10.9.9.1/24 dev v0")
            try Self.ip("addr add 2001:db8::1/64 dev v0 nodad")
        }
    }

    deinit { _ = worker.post { $0.stop() } }

    /// Runs something on the thread.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let posted = worker.post { _ in continuation.resume(with: Result { try body() }) }
            if !posted { continuation.resume(throwing: CancellationError()) }
        }
    }

    /// Runs iproute2 on the thread and returns what it printed.
    @discardableResult
    func ip(_ words: String) async throws -> String { try await run { try Self.ip(words) } }

    /// Runs a program on the thread and returns what it printed.
    func output(of program: String, _ arguments: [String]) async throws -> String {
        try await run { try Self.command(program, arguments) }
    }

    @discardableResult
    private static func ip(_ words: String) throws -> String {
        try command("/usr/bin/ip", words.split(separator: " ").map(String.init))
    }

    private static func command(_ program: String, _ arguments: [String]) throws -> String {
        let path = try #require(
            access(program, X_OK) == 0 ? program : Invocation.find(String(program.split(separator: "/").last ?? ""))
        )
        let result = try ChildProcess.run(Invocation(path, arguments), timeout: .seconds(10))
        guard result.isSuccess else { throw Failure(text: "\(arguments): \(result.errors.text)") }
        return result.output.text
    }

    struct Failure: Error { let text: String }

    /// Opens an ear on the far end of the cable.
    func listen() async throws -> Ear { try await run { try Ear() } }
}

/// Hears the frames that come out of `v1`.
final class Ear: Sendable {
    private let socket: Descriptor

    fileprivate init() throws {
        // ETH_P_ALL, in network byte order.
        let all = Int32(UInt16(3).bigEndian)
        let raw = try SystemError.check("socket") {
            haven_socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), all)
        }
        socket = Descriptor(owning: Int32(raw))
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = UInt16(all)
        address.sll_ifindex = Int32(if_nametoindex("v1"))
        let number = socket.number
        try SystemError.check("bind") { haven_bind(number, &address, socklen_t(MemoryLayout<sockaddr_ll>.size)) }
    }

    /// Counts the announcements of an address: gratuitous ARP packets, or unsolicited advertisements.
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - wanted: How many end the wait.
    ///   - limit: When the wait ends otherwise.
    /// - Returns: How many there were.
    /// - Throws: when the kernel refuses to wait.
    func announcements(of address: IPAddress, wanted: Int, within limit: Duration) throws -> Int {
        var poller = try Poller()
        try poller.add(socket.number, .read, token: 0)
        let end = Clock.monotonic() + limit
        var count = 0
        while count < wanted, Clock.monotonic() < end {
            var events: [Poller.Event] = []
            try poller.wait(until: end, now: Clock.monotonic(), into: &events)
            while let frame = try? socket.read(upTo: 2048) {
                if Self.announces(frame, address) { count += 1 }
            }
        }
        return count
    }

    /// Answers for an address as another machine at the far end of the cable would.
    func claim(_ address: IPAddress, as hardwareAddress: [UInt8]) throws {
        var frame = [UInt8](repeating: 0xFF, count: 6) + hardwareAddress + [0x08, 0x06]
        frame += [0, 1, 8, 0, 6, 4, 0, 2] + hardwareAddress + address.bytes + [UInt8](repeating: 0xFF, count: 6)
        frame += address.bytes + [UInt8](repeating: 0, count: 18)
        let number = socket.number
        _ = try frame.withUnsafeBytes { bytes in
            try SystemError.check("write") { haven_write(number, bytes.baseAddress, bytes.count) }
        }
    }

    private static func announces(_ frame: [UInt8], _ address: IPAddress) -> Bool {
        switch (address.family, frame[12], frame[13]) {
        case (.v4, 0x08, 0x06):
            // Sender and target are the same.
            Array(frame[28..<32]) == address.bytes && Array(frame[38..<42]) == address.bytes
        case (.v6, 0x86, 0xDD):
            // ICMPv6, neighbour advertisement, target.
            frame.count >= 78 && frame[20] == 58 && frame[54] == 136 && Array(frame[62..<78]) == address.bytes
        default: false
        }
    }
}
