internal import Bytes
public import ClusterModel
public import Cryptography
public import TransportCore

/// The joiner's side: asks with a token until it has its identity document, is refused, or its time is over.
///
///     var join = try JoinClient(token, payload: about, now: now, deadline: now + .seconds(60))
///     while case .waiting = join.state {
///         for datagram in join.tick(now: now) { socket.send(datagram.bytes, to: datagram.endpoint) }
///         poller.wait(until: join.nextDeadline, ...)
///         while let (count, from) = socket.receive(into: &buffer) {
///             let more = join.receive(&buffer, count: count, from: from, now: now)
///             for datagram in more { socket.send(datagram.bytes, to: datagram.endpoint) }
///         }
///     }
public struct JoinClient: ~Copyable, Sendable {
    /// How it stands.
    public enum State: Hashable, Sendable {
        /// Nobody has answered yet, or the cluster is at it.
        case waiting(answered: Bool)
        /// The document that makes a member of this machine.
        case joined([UInt8])
        /// The cluster does not want it; a sentence for the operator.
        case refused(String)
        /// The deadline passed; whether anybody answered tells "not reachable" from "not decided".
        case timedOut(answered: Bool)
    }

    /// How it stands.
    public private(set) var state = State.waiting(answered: false)
    private let token: JoinToken
    private let name: Random128
    private let attempt: Random128
    private let keys: JoinKeys
    private let payload: [UInt8]
    private let deadline: Instant
    private var document: [UInt8] = []
    private var part: UInt16 = 0
    private var counter: UInt64 = 0
    private var nextRequest: Instant
    private var random = SystemRandomNumberGenerator()

    /// Begins an attempt.
    ///
    /// - Parameters:
    ///   - token: What the operator handed over.
    ///   - payload: What this machine says of itself, at most `JoinLimit.request` bytes.
    ///   - now: The time.
    ///   - deadline: When to give up.
    /// - Throws: `invalidSize` for a payload above the limit.
    public init(_ token: JoinToken, payload: [UInt8], now: Instant, deadline: Instant) throws(CryptographyError) {
        var random = SystemRandomNumberGenerator()
        let attempt = Random128(high: random.next(), low: random.next())
        // What throws comes before the first property, as a value that cannot be copied has to be made in one go.
        let secret = SecretBytes(token.secret)
        let name = try JoinKeys.name(of: secret)
        let keys = try JoinKeys(secret: secret, attempt: attempt)
        guard payload.count <= JoinLimit.request else { throw .invalidSize }
        self.name = name
        self.keys = keys
        self.attempt = attempt
        self.token = token
        self.payload = payload
        self.deadline = deadline
        nextRequest = now
    }

    /// When `tick` has something to do; nil when it is over.
    public var nextDeadline: Instant? {
        if case .waiting = state { return min(nextRequest, deadline) }
        return nil
    }

    /// The datagrams to be sent now, to every address of the token.
    public mutating func tick(now: Instant) -> [(bytes: [UInt8], endpoint: Endpoint)] {
        guard case .waiting(let answered) = state else { return [] }
        if now >= deadline {
            state = .timedOut(answered: answered)
            return []
        }
        guard now >= nextRequest else { return [] }
        nextRequest = now + JoinLimit.retry
        return requests(part, to: token.endpoints)
    }

    /// Takes a datagram; what is not the answer to this attempt changes nothing.
    ///
    /// - Parameters:
    ///   - buffer: Holds the datagram at its start; it is opened in place.
    ///   - count: Bytes of the datagram.
    ///   - from: Its sender's address.
    ///   - now: The time.
    /// - Returns: Datagrams to be sent at once: the next question, or the receipt.
    public mutating func receive(
        _ buffer: inout [UInt8],
        count: Int,
        from: Endpoint,
        now: Instant
    ) -> [(bytes: [UInt8], endpoint: Endpoint)] {
        guard case .waiting = state, let content = open(&buffer, count: count) else { return [] }
        state = .waiting(answered: true)
        switch content.status {
        case .pending: return []
        case .refused:
            state = .refused(String(decoding: content.bytes, as: UTF8.self))
            return []
        case .document:
            guard content.part == part else { return [] }
            document += content.bytes
            part += 1
            guard part == content.parts else {
                nextRequest = now + JoinLimit.retry
                return requests(part, to: [from])
            }
            state = .joined(document)
            return requests(JoinRequestContent.received, to: [from])
        }
    }

    private mutating func open(_ buffer: inout [UInt8], count: Int) -> JoinResponseContent? {
        do {
            let header = try JoinHeader(parsing: buffer.span.bytes.extracting(first: count))
            guard header.kind == .joinResponse, header.token == name, header.attempt == attempt else { return nil }
            let range = try keys.responses.opened(header, &buffer, count: count)
            return try JoinResponseContent(parsing: buffer.span.bytes.extracting(range))
        } catch {
            return nil
        }
    }

    private mutating func requests(_ part: UInt16, to endpoints: [Endpoint]) -> [(bytes: [UInt8], endpoint: Endpoint)] {
        counter += 1
        let header = JoinHeader(
            kind: .joinRequest,
            token: name,
            attempt: attempt,
            counter: counter,
            salt: random.next()
        )
        let content = JoinRequestContent(part: part, payload: payload)
        guard let bytes = try? keys.requests.sealed(header, { content.encode(into: &$0) }) else { return [] }
        return endpoints.map { (bytes, $0) }
    }
}
