import AdminAPI
import ClusterModel

/// What a proxy did and why, as text.
enum ExchangeText {
    /// Counts by listener, then a line for each exchange.
    static func text(_ view: ExchangesView) -> String {
        var lines = ["Seen by \(view.node)"]
        lines += view.listeners.flatMap(reasons)
        if view.listeners.isEmpty { lines.append("  no listeners; haven lb listener create adds one") }
        lines += view.exchanges.map { line($0, severalListeners: view.listeners.count != 1) }
        if view.exchanges.isEmpty, !view.listeners.isEmpty { lines.append("  no requests yet") }
        return lines.joined(separator: "\n")
    }

    private static func reasons(_ listener: ListenerReasonsView) -> [String] {
        var head = "  \(listener.name)"
        if !listener.clientCookies.isEmpty || !listener.serverCookies.isEmpty {
            head += ": cookies \(counts(listener.clientCookies)); in responses \(counts(listener.serverCookies))"
        }
        return [head]
            + listener.servers.map { server in
                var text = "    \(server.name): \(server.picks.isEmpty ? "never picked" : counts(server.picks))"
                if server.retries > 0 { text += ", \(server.retries) sent again" }
                return text
            }
    }

    /// `V 12, N 3`: the most frequent first.
    private static func counts(_ counts: [String: UInt64]) -> String {
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.isEmpty ? "none" : sorted.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private static func line(_ exchange: ExchangeView, severalListeners: Bool) -> String {
        var text = "  \(TimeText.date(exchange.at)) "
        if severalListeners { text += "\(exchange.listener ?? "(removed)")/" }
        text += exchange.server ?? (exchange.pick == nil ? "-" : "(removed)")
        text += " \(exchange.client) "
        text += exchange.status > 0 ? "\(exchange.status)" : "-"
        if let answer = exchange.answer { text += " \(answer)" }
        if exchange.isCut { text += " cut" }
        text += " \(exchange.pick ?? "-") \(exchange.cookie)"
        if exchange.retries > 0 {
            let noun = exchange.retries == 1 ? "retry" : "retries"
            text += " \(exchange.isRedispatched ? "+" : "")\(exchange.retries) \(noun)"
        }
        let times = [exchange.connected, exchange.answered, exchange.total].map { $0.map { "\($0.count)" } ?? "-" }
        return text + " \(times.joined(separator: "/")) ms"
    }
}
