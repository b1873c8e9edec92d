import HTTP1
import ProxyControl

extension AnswerReason {
    /// What a client is told about a head that breaks a rule.
    init(_ fault: HeadFault) {
        switch fault.status {
        case 405: self = .methodNotAllowed
        case 414: self = .targetTooLong
        case 417: self = .expectation
        case 431: self = .headTooLong
        case 501: self = .notImplemented
        case 505: self = .version
        default: self = .badRequest
        }
    }

    /// Whether the client's connection is still in step after such an answer.
    fileprivate var keepsConnection: Bool {
        switch self {
        case .badResponse, .serverClosed, .noServer, .connectFailed, .serverTimeout: true
        default: false
        }
    }
}

/// Answers that the proxy makes itself.
extension Loop {
    /// Ends the exchange with an answer of our own; cuts the connection if a response has begun already.
    mutating func answer(_ client: SlotPointer, _ reason: AnswerReason) {
        if client.pointee.flags.contains(.responseStarted) { return abort(client) }
        counters.add(reason, listener: client.pointee.listener)
        noteAnswer(client, reason)
        if let server = client.pointee.peer { closeServer(server) }
        blocks.release(&client.pointee.request)
        let keeps = reason.keepsConnection && client.pointee.flags.contains([.keepAlive, .requestDone])
        if !keeps { client.pointee.flags.remove([.keepAlive, .requestDone]) }
        client.pointee.flags.insert(.responseStarted)
        let count = write(reason, withBody: client.pointee.method != .head, keeps: keeps)
        switch send(client, out, count) {
        case .done: endExchange(client)
        case .blocked:
            client.pointee.phase = .flushing
            wheel.set(client, now + ProxyLimits.linger)
        default: closeClient(client)
        }
    }

    private mutating func write(_ reason: AnswerReason, withBody: Bool, keeps: Bool) -> Int {
        var writer = HeadWriter(base: out, capacity: ProxyLimits.outBytes)
        let before: StaticString = "<html><body><h1>"
        let after: StaticString = "</h1>\n</body></html>\n"
        let length = before.utf8CodeUnitCount + reason.status.utf8CodeUnitCount + after.utf8CodeUnitCount
        writer.append("HTTP/1.1 ")
        writer.append(reason.status)
        writer.append("\r\nContent-Type: text/html\r\nCache-Control: no-cache\r\nX-Haven-Reason: ")
        writer.append(reason.name)
        if reason == .methodNotAllowed { writer.append("\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") }
        writer.append("\r\nContent-Length: ")
        writer.append(decimal: Int64(length))
        writer.append(keeps ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n")
        if withBody {
            writer.append(before)
            writer.append(reason.status)
            writer.append(after)
        }
        return writer.count
    }
}
