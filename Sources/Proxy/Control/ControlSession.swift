import CLinux
import LinuxIO
import ProxyControl

/// One agent on the control socket.
final class ControlSession {
    let socket: Descriptor
    private var input: [UInt8] = []
    private var descriptors: [Int32] = []
    private var output: [UInt8] = []
    /// Whether the agent closed its end; what it said before still counts.
    private(set) var isEnded = false

    init(socket: Int32) { self.socket = Descriptor(owning: socket) }

    deinit { for number in descriptors { _ = haven_close(number) } }

    /// Reads what there is; whole frames come out.
    ///
    /// - Throws: When what came is no frame.
    func receive() throws(ProxyControlError) -> [ControlFrame] {
        var frames: [ControlFrame] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var numbers = [Int32](repeating: -1, count: ControlFrame.descriptors)
        while true {
            var count: Int32 = 0
            let result = haven_recv_descriptors(socket.number, &chunk, chunk.count, &numbers, &count)
            if result == -Int(EAGAIN) { return frames }
            if result == -Int(EINTR) { continue }
            guard result > 0 else {
                isEnded = true
                return frames
            }
            descriptors += numbers[..<Int(count)]
            guard descriptors.count <= 4 * ControlFrame.descriptors else { throw .tooLarge(descriptors.count) }
            input += chunk[..<result]
            while let frame = try ControlFrame.take(from: &input) { frames.append(frame) }
        }
    }

    /// The descriptors that came with a frame; the caller owns them.
    func takeDescriptors(_ count: Int) -> [Int32] {
        let taken = Array(descriptors.prefix(count))
        descriptors.removeFirst(taken.count)
        return taken
    }

    /// Sends a frame, as much as goes now.
    func send(_ frame: ControlFrame) throws(ProxyControlError) {
        guard output.count < 2 * ControlFrame.payloadBytes else { throw .tooLarge(output.count) }
        output += frame.encoded
        try flush()
    }

    /// Goes on sending.
    func flush() throws(ProxyControlError) {
        while !output.isEmpty {
            let sent = haven_send(socket.number, output, output.count, 0)
            if sent == -Int(EAGAIN) { return }
            if sent == -Int(EINTR) { continue }
            guard sent > 0 else { throw .closed }
            output.removeFirst(sent)
        }
    }
}
