import FlyingSocks
import FoundationEssentials
import Glibc
import Synchronization

/// The agent's end of the socket: reads requests, awaits their handler, writes responses.
///
/// FlyingFox's own HTTP server shows no peer credentials to handlers and bounds neither heads nor idle connections, so
/// only its socket layer is used; the protocol is the few lines of `HTTPMessage`.
public final class AdminServer: Sendable {
    /// Carries out a request of the user with that number.
    public typealias Handler = @Sendable (AdminRequest, _ uid: UInt32) async -> AdminResponse

    private let path: String
    private let listener: Int32
    private let handler: Handler
    private let unanswered = Mutex(0)

    /// How many requests were read and have no response on the wire yet.
    public var unansweredRequests: Int { unanswered.withLock { $0 } }

    /// Why the socket cannot be served.
    public struct StartFailure: Error, CustomStringConvertible {
        /// What is wrong, where, and what to do.
        public let description: String
    }

    /// Listens at `path`: directory 0750 and socket 0660, both root's and the group's where the group exists.
    ///
    /// A socket that a dead agent left behind is replaced; one that answers is not.
    public init(
        path: String = AdminLimits.socketPath,
        group: String = AdminLimits.group,
        handler: @escaping Handler
    ) throws(StartFailure) {
        self.path = path
        self.handler = handler
        do {
            let number = UnixSocket.group(named: group)
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try UnixSocket.prepareDirectory(String(path[..<slash]), group: number)
            }
            if let other = try? UnixSocket.connected(to: path) {
                close(other)
                throw StartFailure(description: "\(path): another agent serves this socket; stop it first")
            }
            unlink(path)
            listener = try UnixSocket.listening(at: path, group: number)
        } catch let failure as SocketFailure {
            throw StartFailure(description: "cannot serve \(path): \(failure.text)")
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure(description: "cannot serve \(path): \(error)")
        }
    }

    deinit { close(listener) }

    /// Serves until cancelled; what goes wrong with one connection ends that connection alone.
    public func run() async throws {
        let pool = SocketPool.make()
        try await pool.prepare()
        defer { unlink(path) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            group.addTask { try await self.accept(pool) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func accept(_ pool: some AsyncSocketPool) async throws {
        let socket = Socket(file: .init(rawValue: listener))
        let slots = Slots(AdminLimits.connections)
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                try Task.checkCancellation()
                let accepted: Int32?
                do {
                    accepted = try UnixSocket.accept(from: listener)
                } catch {
                    // Out of descriptors or memory: neither may end the loop, nor make it spin.
                    try await Task.sleep(for: .milliseconds(50))
                    continue
                }
                guard let descriptor = accepted else {
                    try await pool.suspendSocket(socket, untilReadyFor: .read)
                    continue
                }
                guard let connection = admit(descriptor, slots, pool) else {
                    close(descriptor)
                    continue
                }
                group.addTask {
                    await self.serve(connection.socket, connection.uid)
                    try? connection.socket.close()
                    slots.giveBack()
                }
            }
        }
    }

    private func admit(
        _ descriptor: Int32,
        _ slots: Slots,
        _ pool: some AsyncSocketPool
    ) -> (socket: AsyncSocket, uid: UInt32)? {
        guard slots.take() else { return nil }
        guard let uid = try? UnixSocket.peer(of: descriptor),
            let socket = try? AsyncSocket(socket: Socket(file: .init(rawValue: descriptor)), pool: pool)
        else {
            slots.giveBack()
            return nil
        }
        return (socket, uid)
    }

    private func serve(_ connection: AsyncSocket, _ uid: UInt32) async {
        let response: AdminResponse
        var isCounted = false
        defer { if isCounted { unanswered.withLock { $0 -= 1 } } }
        do {
            guard let message = try await within(AdminLimits.transfer, { try await Self.read(connection) }) else {
                return
            }
            unanswered.withLock { $0 += 1 }
            isCounted = true
            response = await answer(message, uid)
        } catch let malformation as HTTPMessage.Malformation {
            response = .failed(AdminFailure(.malformed, "\(malformation)"))
        } catch {
            return
        }
        guard let body = try? AdminCodec.encode(response) else { return }
        let bytes = HTTPMessage.response(status: response.httpStatus, body: body)
        // Nobody is left to be told that a response could not be delivered.
        _ = try? await within(AdminLimits.transfer) { try await connection.write(bytes) }
    }

    private static func read(_ connection: AsyncSocket) async throws -> HTTPMessage {
        var reader = HTTPMessage.Reader()
        while true {
            if let message = try reader.append(try await connection.read(atMost: 4096)) { return message }
            if reader.expectsContinue { try await connection.write(Data("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        }
    }

    private func answer(_ message: HTTPMessage, _ uid: UInt32) async -> AdminResponse {
        let words = message.startLine.split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            return .failed(AdminFailure(.malformed, "\"\(message.startLine)\" is no HTTP/1.1 request line"))
        }
        let request: AdminRequest
        switch (words[0], words[1]) {
        case ("GET", "/v1/status"): request = .status
        case ("GET", "/v1/configuration"): request = .configuration
        case ("POST", "/v1/request"):
            do {
                request = try AdminCodec.decodeRequest(message.body)
            } catch {
                return .failed(AdminFailure(.malformed, "the body is no request: \(error)"))
            }
        default:
            let remedy = "there are GET /v1/status, GET /v1/configuration and POST /v1/request"
            return .failed(AdminFailure(.malformed, "\(words[0]) \(words[1]) is not served", remedy: remedy))
        }
        let handler = handler
        let result = try? await within(AdminLimits.handling) { await handler(request, uid) }
        return result ?? .failed(AdminFailure(.timeout, "it did not end within \(AdminLimits.handling)"))
    }
}

extension AdminResponse {
    /// For HTTP clients other than ours.
    var httpStatus: Int {
        guard case .failed(let failure) = self else { return 200 }
        return switch failure.kind {
        case .refused: 422
        case .conflict: 409
        case .noQuorum: 503
        case .failed: 500
        case .timeout: 504
        case .malformed: 400
        case .denied: 403
        }
    }
}
