import Balancing
import ClusterModel
import LinuxIO
import ProxyControl

extension Supervisor {
    /// What was done lately, and why.
    func exchanges(_ query: ExchangeQuery) -> ExchangeReport {
        let chosen = listeners.filter { query.listener == nil || $0.planned.listener.name == query.listener }
        let last = min(max(1, query.last), PlanLimits.exchanges)
        let now = Clock.monotonic()
        let records = threads.rings.flatMap { $0.read() }.sorted { $0.ended < $1.ended }
        let wanted = records.filter { record in
            query.listener == nil || chosen.contains { $0.id == record.listener && Self.began(record, in: $0.created) }
        }
        return ExchangeReport(
            listeners: chosen.map(reasons),
            exchanges: wanted.suffix(last).map { exchange($0, now: now) }
        )
    }

    /// Whether an exchange began when its number had this owner already.
    private static func began(_ record: ExchangeRecord, in life: Instant) -> Bool {
        record.begun >= life.nanoseconds / 1_000_000
    }

    private func exchange(_ record: ExchangeRecord, now: Instant) -> Exchange {
        let ago = max(0, now.nanoseconds / 1_000_000 - record.ended)
        var exchange = Exchange(client: record.client.text, ago: ago, total: max(0, record.ended - record.begun))
        let listener = listeners.first { $0.id == record.listener && Self.began(record, in: $0.created) }
        exchange.listener = listener?.planned.listener.name
        let server = listener?.servers.first { $0.id == record.server && Self.began(record, in: $0.created) }
        exchange.server = server?.configuration.name
        exchange.pick = record.server < 0 ? nil : record.pick
        exchange.clientCookie = record.clientCookie
        exchange.serverCookie = record.serverCookie
        exchange.retries = Int(record.retries)
        exchange.isRedispatched = record.isRedispatched
        exchange.answer = record.answer
        exchange.status = Int(record.status)
        exchange.connected = record.connected < 0 ? nil : Int64(record.connected)
        exchange.answered = record.answered < 0 ? nil : Int64(record.answered)
        exchange.isCut = record.isCut
        return exchange
    }

    private func reasons(_ live: LiveListener) -> ListenerReasons {
        var reasons = ListenerReasons(name: live.planned.listener.name)
        for cookie in ClientCookie.allCases {
            let count = threads.total { $0.value(cookie, listener: live.id) }
            if count > 0 { reasons.clientCookies[String(cookie.letter)] = count }
        }
        for cookie in ServerCookie.allCases {
            let count = threads.total { $0.value(cookie, listener: live.id) }
            if count > 0 { reasons.serverCookies[String(cookie.letter)] = count }
        }
        reasons.servers = live.servers.map { server in
            var own = ServerReasons(name: server.configuration.name)
            for reason in PickReason.allCases {
                let count = threads.total { $0.value(reason, server: server.id) }
                if count > 0 { own.picks["\(reason)"] = count }
            }
            own.retries = threads.total { $0.value(.retries, server: server.id) }
            return own
        }
        return reasons
    }
}

extension ClientAddress {
    /// `192.0.2.7:4711`, or `[2001:db8::7]:4711`.
    fileprivate var text: String {
        let raw = withUnsafeBytes(of: bytes) { Array($0) }
        guard let address = IPAddress(bytes: Array(raw.prefix(isV6 ? 16 : 4))) else { return "" }
        return Endpoint(address: address, port: port).description
    }
}
