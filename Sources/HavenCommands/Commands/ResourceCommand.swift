import AdminAPI
import ArgumentParser
import ClusterConfig
import ClusterModel

/// `resource`.
struct ResourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource",
        abstract: "What the cluster starts, stops and monitors.",
        subcommands: [
            Create.self, Delete.self, Config.self, Enable.self, Disable.self, Manage.self, Unmanage.self, Move.self,
            Cleanup.self,
        ]
    )

    /// `resource create`.
    struct Create: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a resource.",
            discussion: """
                haven resource create VirtualIP IPaddr2 ip=192.168.0.30 cidr_netmask=24
                haven resource create App process command="/usr/bin/app --serve" user=app
                haven resource create Web ocf:heartbeat:nginx configfile=/etc/nginx/nginx.conf op monitor interval=10s
                haven resource create Job process command=/usr/bin/job meta requires=nothing resource-stickiness=200
                """
        )

        @Argument(help: "Its name.")
        var name: String

        @Argument(help: "IPaddr2, process, or ocf:PROVIDER:TYPE.")
        var agent: String

        @Argument(
            help: ArgumentHelp(
                "Parameters, then op OPERATION NAME=VALUE and meta NAME=VALUE.",
                valueName: "name=value"
            )
        )
        var words: [String] = []

        @Flag(help: "Do not start it yet.")
        var disabled = false

        func run(_ session: Session) throws(CommandFailure) {
            var resource = try Words.reading { () throws(WordProblems) in
                try ResourceWords.parse(name: name, agent: agent, words: words)
            }
            if disabled { resource.enabled = false }
            try session.edit(.createResource(resource))
        }
    }

    /// `resource delete`.
    struct Delete: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops and deletes a resource, and the constraints that name it.",
            aliases: ["remove"]
        )

        @Argument(help: "Its name.")
        var name: String

        func run(_ session: Session) throws(CommandFailure) { try session.edit(.deleteResource(name)) }
    }

    /// `resource config`.
    struct Config: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Shows how resources are configured.")

        @Argument(help: "The resources; all where none is named.")
        var names: [String] = []

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            let known = try session.configuration().0.resources
            let chosen = try Selection.choose(names, known, noun: .resource, \.name)
            if json { return try session.printJSON(chosen) }
            for resource in chosen { session.print(ConfigurationText.text(resource)) }
        }
    }

    /// `resource enable`.
    struct Enable: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Lets resources run.")

        @Argument(help: "Their names.")
        var names: [String]

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setEnabled(resources: names, enabled: true))
        }
    }

    /// `resource disable`.
    struct Disable: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Stops resources, and keeps them stopped.")

        @Argument(help: "Their names.")
        var names: [String]

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setEnabled(resources: names, enabled: false))
        }
    }

    /// `resource manage`.
    struct Manage: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Lets the cluster look after resources again.")

        @Argument(help: "Their names.")
        var names: [String]

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setManaged(resources: names, managed: true))
        }
    }

    /// `resource unmanage`.
    struct Unmanage: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leaves resources as they are: the cluster neither starts, stops nor monitors them."
        )

        @Argument(help: "Their names.")
        var names: [String]

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setManaged(resources: names, managed: false))
        }
    }

    /// `resource move`.
    struct Move: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves a resource; the move ends by itself and leaves no constraint behind."
        )

        @Argument(help: "Its name.")
        var name: String

        @Argument(help: "Where to; any other node where none is named.")
        var node: NodeName?

        func run(_ session: Session) throws(CommandFailure) {
            try session.carryOut(.move(resource: name, to: node))
        }
    }

    /// `resource cleanup`.
    struct Cleanup: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forgets failures, so that resources are tried again where they failed."
        )

        @Argument(help: "The resource; all where none is named.")
        var name: String?

        @Argument(help: "node=NAME for failures on one node alone.")
        var words: [String] = []

        @Option(help: "The node; all where none is named.")
        var node: NodeName?

        func run(_ session: Session) throws(CommandFailure) {
            var (resource, node) = (name, node)
            var rest = words
            // "cleanup node=ctl1" names no resource.
            if let word = name, Setting(word)?.name == "node" {
                resource = nil
                rest.insert(word, at: 0)
            }
            for setting in try Words.settings(rest, example: "node=controller1") {
                guard setting.name == "node" else {
                    throw CommandFailure(.usage, "cleanup has no \"\(setting.name)\"; give node=NAME")
                }
                node = setting.value
            }
            try session.carryOut(.cleanup(resource: resource, node: node))
        }
    }
}

/// Chooses elements of the configuration by name.
enum Selection {
    static func choose<Element>(
        _ names: [String],
        _ known: [Element],
        noun: EditError.Noun,
        _ name: (Element) -> String
    ) throws(CommandFailure) -> [Element] {
        for wanted in names where !known.contains(where: { name($0) == wanted }) {
            throw CommandFailure(.failed, "\(EditError.unknown(noun, wanted, known: known.map(name)))")
        }
        return known.filter { names.isEmpty || names.contains(name($0)) }
    }
}
