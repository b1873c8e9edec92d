internal import CLinux
internal import ClusterModel
internal import LinuxIO

/// One end of a control connection that sends and receives whole frames, waiting up to a deadline.
struct ControlChannel: ~Copyable {
    private let socket: Descriptor
    private var buffer: [UInt8] = []

    init(path: String) throws(ProxyControlError) { socket = try Self.connect(path) }

    private static func connect(_ path: String) throws(ProxyControlError) -> Descriptor {
        do throws(SystemError) {
            let socket = try StreamSocket.connectUnix(path: path)
            try socket.setNonBlocking()
            return socket
        } catch { throw .system("\(error)") }
    }

    mutating func send(
        _ frame: ControlFrame,
        descriptors: [Int32] = [],
        deadline: Instant
    ) throws(ProxyControlError) {
        let bytes = frame.encoded
        var sent = 0
        while sent < bytes.count {
            let first = sent == 0
            let count = bytes.withUnsafeBytes { raw in
                haven_send_descriptors(
                    socket.number,
                    raw.baseAddress?.advanced(by: sent),
                    raw.count - sent,
                    descriptors,
                    first ? Int32(descriptors.count) : 0
                )
            }
            if count >= 0 {
                sent += count
            } else if count == -Int(EAGAIN) {
                try wait(for: POLLOUT, until: deadline)
            } else if count == -Int(EPIPE) || count == -Int(ECONNRESET) {
                throw .closed
            } else if count != -Int(EINTR) {
                throw .system("\(SystemError(call: "sendmsg", code: Int32(-count)))")
            }
        }
    }

    mutating func receive(deadline: Instant) throws(ProxyControlError) -> ControlFrame {
        while true {
            if let frame = try ControlFrame.take(from: &buffer) { return frame }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = haven_recv(socket.number, &chunk, chunk.count, 0)
            if count > 0 {
                buffer.append(contentsOf: chunk[..<count])
            } else if count == 0 || count == -Int(ECONNRESET) {
                throw .closed
            } else if count == -Int(EAGAIN) {
                try wait(for: POLLIN, until: deadline)
            } else if count != -Int(EINTR) {
                throw .system("\(SystemError(call: "recv", code: Int32(-count)))")
            }
        }
    }

    private func wait(for events: Int32, until deadline: Instant) throws(ProxyControlError) {
        // Even when it is too late the socket is looked at: what came while this thread did not run is no silence.
        let left = max(0, (deadline - Clock.monotonic()).milliseconds + 1)
        let result = haven_poll_one(socket.number, Int16(events), Int32(min(left, 60_000)))
        if result < 0, result != -Int(EINTR) { throw .system("\(SystemError(call: "poll", code: Int32(-result)))") }
        if result == 0, left == 0 { throw .timeout }
    }
}
