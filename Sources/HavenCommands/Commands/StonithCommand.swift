import AdminAPI
import ArgumentParser
import ClusterConfig
import ClusterModel

/// `stonith`.
struct StonithCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stonith",
        abstract: "How nodes are powered off.",
        subcommands: [Create.self, Delete.self, Config.self, Fence.self, Confirm.self]
    )

    /// `stonith create`.
    struct Create: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a fence device.",
            discussion: """
                haven stonith create ipmi-ctl1 fence_ipmilan ip=10.0.0.11 username=haven lanplus=1 \\
                    password=@/root/ipmi-ctl1.password pcmk_host_list=controller1

                A secret never stands on a command line: give PARAMETER=@FILE, or PARAMETER= to be asked for it.
                """
        )

        @Argument(help: "Its name.")
        var name: String

        @Argument(help: "The fence agent, such as fence_ipmilan.")
        var agent: String

        @Argument(
            help: ArgumentHelp("The agent's parameters, and pcmk_host_list or pcmk_host_map.", valueName: "name=value")
        )
        var words: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            let draft = try Words.reading { () throws(WordProblems) in
                try FenceDeviceWords.parse(name: name, agent: agent, words: words)
            }
            let device = try draft.resolved { parameter, source throws(CommandFailure) in
                try session.readSecret(parameter, source)
            }
            try session.edit(.createFenceDevice(device))
        }
    }

    /// `stonith delete`.
    struct Delete: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a fence device.", aliases: ["remove"])

        @Argument(help: "Its name.")
        var name: String

        func run(_ session: Session) throws(CommandFailure) { try session.edit(.deleteFenceDevice(name)) }
    }

    /// `stonith config`.
    struct Config: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how fence devices are configured; secrets are masked."
        )

        @Argument(help: "The devices; all where none is named.")
        var names: [String] = []

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            let known = try session.configuration().0.fenceDevices
            let chosen = try Selection.choose(names, known, noun: .fenceDevice, \.name)
            if json { return try session.printJSON(chosen) }
            for device in chosen { session.print(ConfigurationText.text(device)) }
        }
    }

    /// `stonith fence`.
    struct Fence: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Powers a node off now, and verifies that it is off.")

        @Argument(help: "The node.")
        var node: NodeName

        func run(_ session: Session) throws(CommandFailure) { try session.carryOut(.fence(node: node)) }
    }

    /// `stonith confirm`.
    struct Confirm: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "States that a lost node is off, in the place of a fence device.",
            discussion: """
                What it held is started elsewhere at once. If it is not off, that runs twice: look at the machine itself.
                """
        )

        @Argument(help: "The node.")
        var node: NodeName

        @Flag(name: .customLong("yes"), help: "You have seen that it is off.")
        var isSure = false

        func run(_ session: Session) throws(CommandFailure) {
            guard isSure else {
                let view = try session.status().nodes.first { $0.name == node }
                let heard = view?.lastHeard.map { "last heard \(TimeText.duration($0)) ago" } ?? "not heard of"
                throw CommandFailure(
                    .usage,
                    "\(node) is \(view?.state.rawValue ?? "unknown"), \(heard); if you have seen that it is off: "
                        + "haven stonith confirm \(node) --yes"
                )
            }
            try session.carryOut(.confirmOff(node: node))
        }
    }
}
