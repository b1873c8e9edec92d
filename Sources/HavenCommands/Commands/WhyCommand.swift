import AdminAPI
import ArgumentParser

/// `lb why`.
struct WhyCommand: AgentCommand {
    /// The most exchanges that can be asked for; the proxy remembers about as many per thread.
    static let most = 1000

    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Shows which server the last requests to this node's proxy went to, and why.",
        discussion: """
            One line for each request (in TCP mode each connection): when it ended, listener and server, the client, \
            the status or why the proxy answered itself, why the server was picked, HAProxy's two letters for the \
            cookie (what the client's was worth: N I D V E O; what became of it: N I U P R D), and the times until the \
            request was sent, until the response began and until it ended.
            """
    )

    @Argument(help: "The listener; all where none is named.")
    var listener: String?

    @Option(help: "How many requests, the newest.")
    var last = 20

    @Flag(help: "Write JSON.")
    var json = false

    func validate() throws {
        guard (1...Self.most).contains(last) else {
            throw ValidationError("--last cannot be \(last); give 1 to \(Self.most)")
        }
    }

    func run(_ session: Session) throws(CommandFailure) {
        guard case .exchanges(let view) = try session.ask(.exchanges(listener: listener, last: last)) else {
            throw Session.unexpected
        }
        if json { return try session.printJSON(view) }
        session.print(ExchangeText.text(view))
    }
}
