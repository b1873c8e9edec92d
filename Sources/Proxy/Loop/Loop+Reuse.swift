import CLinux
import ClusterModel

/// Which open connections a request may be sent on; `ReuseMode` as a plain byte.
enum ConnectionReuse: UInt8 {
    case never, safe, aggressive, always

    init(_ mode: ReuseMode) {
        switch mode {
        case .never: self = .never
        case .safe: self = .safe
        case .aggressive: self = .aggressive
        case .always: self = .always
        }
    }
}

/// Choosing among connections that are open already.
extension Loop {
    /// An open connection to the client's server that its request may be sent on; nil when it gets a new one.
    mutating func takeReusable(_ client: SlotPointer) -> SlotPointer? {
        let isFirst = client.pointee.flags.contains(.firstRequest)
        switch listener(client.pointee.listener).pointee.reuse {
        case .always: return takeIdle(client.pointee.server)
        case .safe: return isFirst ? nil : takeIdle(client.pointee.server)
        case .aggressive: return isFirst ? takeProven(client.pointee.server) : takeIdle(client.pointee.server)
        case .never: return takeOwn(client)
        }
    }

    /// One that has served several requests: its server does not close after each.
    private mutating func takeProven(_ server: Int32) -> SlotPointer? {
        var slot = pools[Int(server)].first
        for _ in 0..<ProxyLimits.reuseSearch {
            guard let candidate = slot else { return nil }
            if candidate.pointee.flags.contains(.reused) {
                unpool(candidate)
                return candidate
            }
            slot = candidate.pointee.poolNext
        }
        return nil
    }

    /// The one that served this client before.
    private mutating func takeOwn(_ client: SlotPointer) -> SlotPointer? {
        guard let own = client.pointee.bound else { return nil }
        guard own.pointee.server == client.pointee.server else {
            closeIdle(own)
            return nil
        }
        unbind(own)
        own.pointee.flags.insert(.reused)
        return own
    }

    /// Keeps a connection for later: for anybody, or for its client alone.
    mutating func keep(_ server: SlotPointer, for client: SlotPointer) {
        guard listener(client.pointee.listener).pointee.reuse == .never else { return putIdle(server) }
        // One from a time when the listener had another mode.
        if let other = client.pointee.bound { closeIdle(other) }
        rest(server)
        server.pointee.bound = client
        client.pointee.bound = server
    }

    /// Ends the bond of an idle connection and its client.
    mutating func unbind(_ server: SlotPointer) {
        server.pointee.bound?.pointee.bound = nil
        server.pointee.bound = nil
    }
}
