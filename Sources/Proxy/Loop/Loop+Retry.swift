import Balancing
import CLinux
import ClusterModel
import HTTP1

/// After what a request is sent again; `RetryWord` as bits.
struct RetryCauses: OptionSet {
    let rawValue: UInt32
    static let connectionFailure = RetryCauses(rawValue: 1 << 0)
    static let emptyResponse = RetryCauses(rawValue: 1 << 1)
    static let junkResponse = RetryCauses(rawValue: 1 << 2)
    static let responseTimeout = RetryCauses(rawValue: 1 << 3)
    /// Requests of every method may be sent again; no cause of its own.
    static let nonIdempotent = RetryCauses(rawValue: 1 << 4)
    /// The first status; the others follow as in `status(_:)`.
    private static let firstStatus: UInt32 = 5

    /// The one cause that a status is; empty for a status that is none.
    static func status(_ status: Int) -> RetryCauses {
        let place: UInt32
        switch status {
        case 401: place = 0
        case 403: place = 1
        case 404: place = 2
        case 408: place = 3
        case 425: place = 4
        case 500: place = 5
        case 501: place = 6
        case 502: place = 7
        case 503: place = 8
        case 504: place = 9
        default: return []
        }
        return RetryCauses(rawValue: 1 << (firstStatus + place))
    }

    /// All of the statuses.
    static let anyStatus = RetryCauses(rawValue: 0x3FF << 5)

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The bits of words.
    init(_ words: [RetryWord]) {
        self = []
        for word in words {
            switch word {
            case .connectionFailure: insert(.connectionFailure)
            case .emptyResponse: insert(.emptyResponse)
            case .junkResponse: insert(.junkResponse)
            case .responseTimeout: insert(.responseTimeout)
            case .nonIdempotent: insert(.nonIdempotent)
            case .status401, .status403, .status404, .status408, .status425, .status500, .status501, .status502,
                .status503, .status504:
                formUnion(.status(Int(word.rawValue) ?? 0))
            }
        }
    }
}

/// Sending requests again after a server has had them.
extension Loop {
    /// Whether the request may be sent twice: all of it is there, and its method allows it or the listener does.
    mutating func mayRepeat(_ client: SlotPointer) -> Bool {
        client.pointee.flags.contains(.requestDone)
            && (client.pointee.method.isIdempotent
                || listener(client.pointee.listener).pointee.retryOn.contains(.nonIdempotent))
    }

    /// Sends the client's request again, to the same server or another one, if the listener wants that after what has
    /// happened; false when the client has to be told.
    mutating func retry(_ client: SlotPointer, _ server: SlotPointer, after cause: RetryCauses) -> Bool {
        let flags = client.pointee.flags
        guard flags.contains(.replayable), !flags.contains(.responseStarted), client.pointee.request.base != nil
        else { return false }
        let step = nextStep(client, after: cause)
        guard step != .giveUp else { return false }
        counters.add(.retries, server: server.pointee.server)
        client.pointee.attempts &+= 1
        closeServer(server)
        if step == .anotherServer { redispatch(client) } else { connect(client) }
        return true
    }

    /// Likewise for a response whose status is a reason.
    @inline(__always)
    mutating func retryForStatus(_ client: SlotPointer, _ server: SlotPointer) -> Bool {
        guard !listener(client.pointee.listener).pointee.retryOn.isDisjoint(with: .anyStatus) else { return false }
        let cause = RetryCauses.status(responseHead.status)
        return !cause.isEmpty && retry(client, server, after: cause)
    }
}
