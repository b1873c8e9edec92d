import FoundationEssentials
import Glibc

/// Why the agent gave no answer.
public enum AdminClientError: Error, Hashable, Sendable {
    /// Nobody serves the socket.
    case agentDown(path: String)
    /// The socket is not for this user.
    case denied(path: String)
    /// The answer did not come in time; whether the request is carried out is not known.
    case timeout(seconds: Int)
    /// The agent ended the connection without an answer; whether the request is carried out is not known.
    case disconnected
    /// What came is no answer.
    case malformed(String)
    /// Another system error.
    case system(String)
}

/// The operator's end of the socket: one request, one response, blocking.
public struct AdminClient: Sendable {
    /// Where the agent listens.
    public var path: String
    /// How long to wait for an answer; a fence and a move take their time.
    public var timeoutSeconds: Int

    /// Names an agent.
    public init(path: String = AdminLimits.socketPath, timeoutSeconds: Int = 660) {
        self.path = path
        self.timeoutSeconds = timeoutSeconds
    }

    /// Sends a request and waits for its response.
    public func send(_ request: AdminRequest) throws(AdminClientError) -> AdminResponse {
        let body: Data
        do { body = try AdminCodec.encode(request) } catch { throw .malformed("\(error)") }
        let descriptor = try connect()
        defer { close(descriptor) }
        UnixSocket.setTimeout(descriptor, seconds: timeoutSeconds)
        try write(HTTPMessage.request(body: body), descriptor)
        let message = try read(descriptor)
        do {
            return try AdminCodec.decodeResponse(message.body)
        } catch {
            throw .malformed("\(message.startLine): \(error)")
        }
    }

    private func connect() throws(AdminClientError) -> Int32 {
        do {
            return try UnixSocket.connected(to: path)
        } catch {
            switch error.errno {
            case ENOENT, ECONNREFUSED: throw .agentDown(path: path)
            case EACCES, EPERM: throw .denied(path: path)
            default: throw .system(error.text)
            }
        }
    }

    private func write(_ bytes: Data, _ descriptor: Int32) throws(AdminClientError) {
        var left = Array(bytes)[...]
        while !left.isEmpty {
            let count = UnixSocket.send(left, to: descriptor)
            if count >= 0 {
                left = left.dropFirst(count)
                continue
            }
            // The agent may have answered and closed before it read all: that answer is what counts.
            if errno == EPIPE { return }
            if errno != EINTR { throw failure(errno, "send") }
        }
    }

    private func read(_ descriptor: Int32) throws(AdminClientError) -> HTTPMessage {
        var reader = HTTPMessage.Reader()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = UnixSocket.receive(into: &buffer, from: descriptor)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno, "receive")
            }
            if count == 0 { throw .disconnected }
            do {
                if let message = try reader.append(buffer[..<count]) { return message }
            } catch {
                throw .malformed("\(error)")
            }
        }
    }

    private func failure(_ number: Int32, _ operation: String) -> AdminClientError {
        switch number {
        case EAGAIN: .timeout(seconds: timeoutSeconds)
        case ECONNRESET: .disconnected
        default: .system(SocketFailure(errno: number, operation: operation).text)
        }
    }
}
