import ArgumentParser

/// `lab`.
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Hosts as network namespaces with power switches, for trying things out.",
        shouldDisplay: LabControl.isAvailable,
        subcommands: [
            Up.self, Down.self, Status.self, Exec.self, Power.self, Link.self, Partition.self, Heal.self,
        ]
    )

    /// `lab up`.
    struct Up: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Makes the hosts and their networks.")

        @Argument(help: "The hosts' names; three controllers where none is named.")
        var hosts: [String] = []

        func run(_ session: Session) throws(CommandFailure) { try LabControl.run(.up(hosts: hosts), session) }
    }

    /// `lab down`.
    struct Down: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Removes everything of the lab.")

        func run(_ session: Session) throws(CommandFailure) { try LabControl.run(.down, session) }
    }

    /// `lab status`.
    struct Status: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Shows hosts, power and links.")

        func run(_ session: Session) throws(CommandFailure) { try LabControl.run(.status, session) }
    }

    /// `lab exec`.
    struct Exec: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Runs a command on a host: exec HOST -- COMMAND …")

        @Argument(help: "The host.")
        var host: String

        @Argument(parsing: .postTerminator, help: "The command with its words.")
        var command: [String]

        func run(_ session: Session) throws(CommandFailure) {
            if command.isEmpty { throw CommandFailure(.usage, "give exec HOST -- COMMAND …") }
            try LabControl.run(.exec(host: host, command: command), session)
        }
    }

    /// `lab power`.
    struct Power: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Switches a host's power: on, off or cycle.")

        @Argument(help: "on, off or cycle.")
        var state: LabControl.PowerState

        @Argument(help: "The host.")
        var host: String

        func run(_ session: Session) throws(CommandFailure) { try LabControl.run(.power(state, host: host), session) }
    }

    /// `lab link`.
    struct Link: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a host's links up or down.")

        @Argument(help: "up or down.")
        var state: LabControl.LinkState

        @Argument(help: "The host.")
        var host: String

        func run(_ session: Session) throws(CommandFailure) { try LabControl.run(.link(state, host: host), session) }
    }

    /// `lab partition`.
    struct Partition: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Separates groups of hosts: A,B/C means that A and B do not hear C."
        )

        @Argument(help: "Groups, with / between them and commas inside.")
        var groups: String

        func run(_ session: Session) throws(CommandFailure) {
            let parsed = groups.split(separator: "/").map { $0.split(separator: ",").map(String.init) }
            let hosts = parsed.flatMap(\.self)
            guard parsed.count > 1, Set(hosts).count == hosts.count else {
                throw CommandFailure(
                    .usage,
                    "\"\(groups)\" are no groups; give for example controller1,controller2/controller3"
                )
            }
            try LabControl.run(.partition(parsed), session)
        }
    }

    /// `lab heal`.
    struct Heal: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Lets all hosts hear each other again.")

        func run(_ session: Session) throws(CommandFailure) { try LabControl.run(.heal, session) }
    }
}

extension LabControl.PowerState: ExpressibleByArgument {}
extension LabControl.LinkState: ExpressibleByArgument {}
