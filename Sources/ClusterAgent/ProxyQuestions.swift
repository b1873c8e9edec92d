import AdminAPI
import Balancing
import ClusterModel
import LinuxIO
import NodeCore
import ProxyControl

/// What an operator wants to know of the proxy's latest work.
struct ExchangeQuestion: Sendable {
    let query: ExchangeQuery
    /// Called once, with nil when the proxy gives no answer.
    let answer: @Sendable (ExchangeReport?) -> Void
}

extension AgentLoop {
    /// Answers what this node's proxy did lately, and why.
    func exchanges(_ listener: String?, last: Int, _ reply: @escaping @Sendable (AdminResponse) -> Void) {
        let configuration = core.state.configuration
        if let listener, configuration.listener(named: listener) == nil {
            return reply(.failed(noListener(listener)))
        }
        let node = configuration.node(core.id)?.name ?? ""
        let remedy = "look with haven lb status"
        let failure = AdminFailure(.failed, "haven-proxy on \(node) gives no answer", remedy: remedy)
        let question = ExchangeQuestion(query: ExchangeQuery(listener: listener, last: last)) { report in
            guard let report else { return reply(.failed(failure)) }
            reply(.exchanges(ExchangesView(node: node, report, now: Clock.wallMilliseconds())))
        }
        if !proxy.ask(question) { reply(.failed(failure)) }
    }
}

extension ExchangesView {
    /// A proxy's report for operators.
    ///
    /// - Parameters:
    ///   - node: Whose proxy it is.
    ///   - report: What it says.
    ///   - now: Milliseconds since 1970.
    init(node: NodeName, _ report: ExchangeReport, now: Int64) {
        self.init(
            node: node,
            listeners: report.listeners.map { listener in
                let servers = listener.servers.map {
                    ServerReasonsView(name: $0.name, picks: $0.picks, retries: $0.retries)
                }
                return ListenerReasonsView(
                    name: listener.name,
                    clientCookies: listener.clientCookies,
                    serverCookies: listener.serverCookies,
                    servers: servers
                )
            },
            exchanges: report.exchanges.map { ExchangeView($0, now: now) }
        )
    }
}

extension ExchangeView {
    fileprivate init(_ exchange: Exchange, now: Int64) {
        self.init(at: now - exchange.ago, client: exchange.client, total: Milliseconds(exchange.total))
        listener = exchange.listener
        server = exchange.server
        pick = exchange.pick.map { "\($0)" }
        cookie = "\(exchange.clientCookie.letter)\(exchange.serverCookie.letter)"
        retries = exchange.retries
        isRedispatched = exchange.isRedispatched
        answer = exchange.answer.map { "\($0.name)" }
        status = exchange.status
        connected = exchange.connected.map { Milliseconds($0) }
        answered = exchange.answered.map { Milliseconds($0) }
        isCut = exchange.isCut
    }
}
