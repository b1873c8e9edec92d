import ArgumentParser
import Foundation

/// The simulator by hand: many seeds, one seed again, mistakes to be found, partitions of every shape.
@main
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs whole clusters in virtual time, under faults, and checks every promise after every event.",
        subcommands: [RunCommand.self, ReplayCommand.self, PlantedBugsCommand.self, PartitionsCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

/// Writes to standard output at once, so that a long run can be watched through a pipe.
func say(_ text: String) {
    print(text)
    fflush(nil)
}
