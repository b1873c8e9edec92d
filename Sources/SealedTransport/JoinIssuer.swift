internal import Bytes
public import ClusterModel
public import Cryptography
public import TransportCore

/// A machine that asks to join with a good token; the agent decides and calls `settle`.
public struct JoinRequest: Hashable, Sendable {
    /// The public name of the token.
    public var token: Random128
    /// Which attempt.
    public var attempt: Random128
    /// What the joiner says of itself.
    public var payload: [UInt8]
    /// Where it is.
    public var from: Endpoint
}

/// The agent's side of joining: issues tokens and hands the identity document to one joiner each.
///
/// Tokens live in memory only: a restart of the agent voids them.
public struct JoinIssuer: ~Copyable, Sendable {
    private var table = JoinTable()
    private var secrets: [Random128: SecretBytes] = [:]
    private var attempts: [Random128: Attempt] = [:]
    /// Of all responses together, so that no attempt's nonce repeats even if its keys were forgotten and derived again.
    private var counter: UInt64 = 0
    private var random = SystemRandomNumberGenerator()
    /// Requests that were dropped: malformed, of no open token, forged, or too many.
    public private(set) var dropped: UInt64 = 0

    private struct Attempt {
        var token: Random128
        var keys: JoinKeys
    }

    /// Begins without tokens.
    public init() {}

    /// When `tick` has something to do.
    public var nextDeadline: Instant? { table.nextDeadline }

    /// The public names of the open tokens.
    public var tokens: Set<Random128> { table.tokens }

    /// Issues a token; nil when `JoinLimit.tokens` are open.
    ///
    /// - Parameters:
    ///   - endpoints: Where this agent is reached.
    ///   - clusterName: For messages.
    ///   - now: The time.
    /// - Returns: The token and its public name, by which it can be revoked.
    /// - Throws: When libcrypto gives no random bytes.
    public mutating func issue(
        endpoints: [Endpoint],
        clusterName: String,
        now: Instant
    ) throws(CryptographyError) -> (token: JoinToken, name: Random128)? {
        let secret = try SecretBytes.random(count: JoinToken.secretSize)
        let name = try JoinKeys.name(of: secret)
        let exposed = secret.exposed()
        guard let token = JoinToken(secret: exposed, endpoints: endpoints, clusterName: clusterName),
            table.open(name, now: now)
        else { return nil }
        secrets[name] = secret
        return (token, name)
    }

    /// Revokes a token.
    public mutating func revoke(_ token: Random128) {
        table.revoke(token)
        forgetOld()
    }

    /// Ends tokens that are too old.
    public mutating func tick(now: Instant) {
        table.expire(now: now)
        forgetOld()
    }

    /// Decides on a joiner: the identity document, at most `JoinLimit.document` bytes, or why not.
    public mutating func settle(_ request: JoinRequest, _ result: Result<[UInt8], JoinRefusal>) {
        table.settle(request.token, attempt: request.attempt, result)
    }

    /// Takes a datagram for which `DatagramKind.isJoining` said yes; it is opened in place.
    ///
    /// - Parameters:
    ///   - buffer: Holds the datagram at its start.
    ///   - count: Bytes of the datagram.
    ///   - from: Its sender's address.
    ///   - now: The time.
    ///   - reply: A datagram to be sent back to `from`, if there is one; never larger than what came.
    /// - Returns: A request to decide on, once for each token.
    public mutating func receive(
        _ buffer: inout [UInt8],
        count: Int,
        from: Endpoint,
        now: Instant,
        reply: inout [UInt8]?
    ) -> JoinRequest? {
        reply = nil
        guard let header = try? JoinHeader(parsing: buffer.span.bytes.extracting(first: count)),
            table.admits(header, now: now), let content = open(header, &buffer, count: count)
        else {
            dropped &+= 1
            return nil
        }
        switch table.accept(header, content, now: now) {
        case .decide:
            reply = seal(JoinResponseContent(status: .pending), header)
            return JoinRequest(token: header.token, attempt: header.attempt, payload: content.payload, from: from)
        case .answer(let answer): reply = seal(answer, header)
        case .silent: break
        }
        return nil
    }

    private mutating func open(_ header: JoinHeader, _ buffer: inout [UInt8], count: Int) -> JoinRequestContent? {
        guard let secret = secrets[header.token] else { return nil }
        do {
            let keys = try attempts[header.attempt]?.keys ?? JoinKeys(secret: secret, attempt: header.attempt)
            let range = try keys.requests.opened(header, &buffer, count: count)
            let content = try JoinRequestContent(parsing: buffer.span.bytes.extracting(range))
            if attempts[header.attempt] == nil {
                // Holders of one token may try again and again: the oldest of their attempts makes room.
                if attempts.count >= 2 * JoinLimit.tokens { attempts.removeAll { $0.token == header.token } }
                attempts[header.attempt] = Attempt(token: header.token, keys: keys)
            }
            return content
        } catch {
            return nil
        }
    }

    private mutating func seal(_ content: JoinResponseContent, _ request: JoinHeader) -> [UInt8]? {
        guard let attempt = attempts[request.attempt] else { return nil }
        counter += 1
        let header = JoinHeader(
            kind: .joinResponse,
            token: request.token,
            attempt: request.attempt,
            counter: counter,
            salt: random.next()
        )
        return try? attempt.keys.responses.sealed(header) { content.encode(into: &$0) }
    }

    private mutating func forgetOld() {
        let open = table.tokens
        secrets = secrets.filter { open.contains($0.key) }
        attempts.removeAll { !open.contains($0.token) }
    }
}

extension Dictionary {
    fileprivate mutating func removeAll(where condition: (Value) -> Bool) { self = filter { !condition($0.value) } }
}
