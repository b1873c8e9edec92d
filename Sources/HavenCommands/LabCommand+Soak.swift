internal import ArgumentParser
internal import FoundationEssentials
internal import Lab
internal import Tour

struct LabSoak: ParsableCommand {
    enum Priorities: String, CaseIterable, ExpressibleByArgument {
        case realtime, normal, both

        var all: [SoakPriority] {
            switch self {
            case .realtime: [.realtime]
            case .normal: [.normal]
            case .both: [.realtime, .normal]
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Make a lab and a cluster in it, keep all processors busy, and look whether a node is given up.",
        discussion: """
            First what idle agents and proxies take is measured. Exit code 1: a peer that lived was given up, the leader \
            changed, a lease ended, something moved, or idle programs take too much. The lab is removed afterwards.
            """
    )

    @OptionGroup var options: LabOptions

    @Option(help: "How long the processors are busy, for each priority.")
    var minutes = 10.0

    @Option(help: "How the agents run: realtime, normal, or both after each other.")
    var priority = Priorities.both

    @Flag(help: "Stop each agent at random as well, for up to 80% of the time after which a node is lost.")
    var pauses = false

    @Option(help: "Decides which agent is stopped when.")
    var seed: UInt64 = 1

    func validate() throws {
        guard minutes > 0, minutes <= Soak.mostMinutes else {
            throw ValidationError("--minutes takes more than 0 and up to \(Int(Soak.mostMinutes))")
        }
    }

    func run() throws {
        var settings = Soak.Settings(specification: try options.specification())
        settings.minutes = minutes
        settings.priorities = priority.all
        settings.pauses = pauses
        settings.seed = seed
        let interruption = try Interruption()
        let soak = Soak(settings, isInterrupted: { interruption.isThere }, tell: LabUp.tell)
        if try !soak.run() { throw ExitCode.failure }
    }
}

struct LabBurn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn",
        abstract: "Keep a processor busy.",
        shouldDisplay: false
    )

    @Option(help: "How long.") var seconds: Int

    func run() throws {
        if Burner.run(seconds: seconds) == 0 { throw ExitCode.failure }
    }
}
