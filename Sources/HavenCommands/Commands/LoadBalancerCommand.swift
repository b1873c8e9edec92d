import AdminAPI
import ArgumentParser
import ClusterConfig
import ClusterModel

/// `lb`.
struct LoadBalancerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lb",
        abstract: "The load balancer of all nodes.",
        subcommands: [ListenerCommand.self, ServerCommand.self, Status.self, WhyCommand.self]
    )

    /// `lb status`.
    struct Status: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows listeners and servers as the proxy of this node sees them, or as those of all nodes do."
        )

        @Argument(help: "The listener; all where none is named.")
        var listener: String?

        @Flag(help: "Ask every node: each proxy checks servers and counts connections for itself.")
        var all = false

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            let request = AdminRequest.loadBalancerStatus(listener: listener, everyNode: all)
            guard case .loadBalancer(let report) = try session.ask(request) else { throw Session.unexpected }
            if json { return try session.printJSON(report) }
            session.print(LoadBalancerText.text(report))
        }
    }
}

/// `lb listener`.
struct ListenerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listener",
        abstract: "What clients connect to.",
        subcommands: [Create.self, Delete.self, Config.self]
    )

    /// `lb listener create`.
    struct Create: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a listener; its options are HAProxy's keywords.",
            discussion: """
                haven lb listener create horizon bind=192.168.0.30:80 mode=http \\
                    cookie='SERVERID insert indirect nocache' timeout-client=180s
                haven lb listener create glance bind=192.168.0.30:9292 mode=http \\
                    httpchk='GET /healthcheck' expect-status=200
                haven lb listener create galera bind=192.168.0.30:3306 mode=tcp timeout-client=90m timeout-server=90m
                haven lb listener create keystone bind=192.168.0.30:5000 mode=http crt=/etc/haven/tls/public.pem
                """
        )

        @Argument(help: "Its name.")
        var name: String

        @Argument(
            help: ArgumentHelp(
                """
                bind, mode, balance, hash-type, allbackups, cookie, timeout-connect, timeout-client, timeout-server, \
                timeout-http-request, timeout-tunnel, timeout-check, retries, redispatch, retry-on, persist, \
                http-reuse, forwardfor, maxconn, httpchk, httpchk-host, expect-status; \
                crt, ssl-min-ver, ciphers, ciphersuites, alpn, verify, ca-file, strict-sni.
                """,
                valueName: "name=value"
            )
        )
        var words: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            let listener = try Words.reading { () throws(WordProblems) in
                try ListenerWords.parse(name: name, words: words)
            }
            try session.edit(.createListener(listener))
        }
    }

    /// `lb listener delete`.
    struct Delete: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a listener with its servers.",
            aliases: ["remove"]
        )

        @Argument(help: "Its name.")
        var name: String

        func run(_ session: Session) throws(CommandFailure) { try session.edit(.deleteListener(name)) }
    }

    /// `lb listener config`.
    struct Config: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Shows how listeners are configured.")

        @Argument(help: "The listeners; all where none is named.")
        var names: [String] = []

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            let known = try session.configuration().0.listeners
            let chosen = try Selection.choose(names, known, noun: .listener, \.name)
            if json { return try session.printJSON(chosen) }
            for listener in chosen { session.print(ConfigurationText.text(listener)) }
        }
    }
}

/// `lb server`.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Servers behind listeners.",
        subcommands: [Add.self, Remove.self, Set.self, Drain.self, Ready.self, Maint.self]
    )

    /// `lb server add`.
    struct Add: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a server; its words are those of a haproxy.cfg server line.",
            discussion: "haven lb server add horizon controller1 192.168.0.10:80 cookie controller1 check inter 1s"
        )

        @OptionGroup var server: Which

        @Argument(
            help: ArgumentHelp(
                """
                ADDRESS:PORT, then check, inter TIME, rise N, fall N, port N, weight N, slowstart TIME, cookie VALUE, \
                backup, disabled; ssl, verify required|none, sni NAME, verifyhost NAME, ca-file PATH, crt PATH.
                """,
                valueName: "word"
            )
        )
        var words: [String]

        func run(_ session: Session) throws(CommandFailure) {
            let parsed = try Words.reading { () throws(WordProblems) in
                try ServerWords.parse(name: server.name, words: words)
            }
            try session.edit(.addServer(listener: server.listener, parsed))
        }
    }

    /// `lb server remove`.
    struct Remove: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a server.", aliases: ["delete"])

        @OptionGroup var server: Which

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.removeServer(listener: server.listener, server: server.name))
        }
    }

    /// `lb server set`.
    struct Set: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a server: weight=0…256, state=ready|drain|maint."
        )

        @OptionGroup var server: Which

        @Argument(help: ArgumentHelp("weight=N, state=ready|drain|maint.", valueName: "name=value"))
        var words: [String]

        func run(_ session: Session) throws(CommandFailure) {
            var weight: Int?
            var state: ServerAdminState?
            for setting in try Words.settings(words, example: "weight=5") {
                switch setting.name {
                case "weight":
                    guard let number = Int(setting.value), ConfigurationLimits.weight.contains(number) else {
                        throw CommandFailure(
                            .usage,
                            "weight cannot be \"\(setting.value)\"; give a number from 0 to 256"
                        )
                    }
                    weight = number
                case "state":
                    guard let known = ServerAdminState(rawValue: setting.value) else {
                        throw CommandFailure(.usage, "state cannot be \"\(setting.value)\"; give ready, drain or maint")
                    }
                    state = known
                default:
                    let remedy = "give weight= or state=; for the rest remove it and add it again"
                    throw CommandFailure(.usage, "a server's \"\(setting.name)\" cannot be set; \(remedy)")
                }
            }
            try session.edit(.setServer(listener: server.listener, server: server.name, weight: weight, state: state))
        }
    }

    /// `lb server drain`.
    struct Drain: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends a server no new clients; those with its cookie stay."
        )

        @OptionGroup var server: Which

        func run(_ session: Session) throws(CommandFailure) { try server.set(.drain, session) }
    }

    /// `lb server ready`.
    struct Ready: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a server serve again.")

        @OptionGroup var server: Which

        func run(_ session: Session) throws(CommandFailure) { try server.set(.ready, session) }
    }

    /// `lb server maint`.
    struct Maint: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a server out of service.")

        @OptionGroup var server: Which

        func run(_ session: Session) throws(CommandFailure) { try server.set(.maint, session) }
    }

    /// Which server.
    struct Which: ParsableArguments {
        @Argument(help: "The listener.")
        var listener: String

        @Argument(help: "The server.")
        var name: String

        func set(_ state: ServerAdminState, _ session: Session) throws(CommandFailure) {
            try session.edit(.setServer(listener: listener, server: name, weight: nil, state: state))
        }
    }
}
