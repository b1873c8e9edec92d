import ArgumentParser
import HavenCommands

struct Haven: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "haven", subcommands: [LabCommand.self])
}

Haven.main()
