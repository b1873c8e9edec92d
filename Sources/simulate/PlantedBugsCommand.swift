import ArgumentParser
import Simulation
import Synchronization

/// Looks for every planted mistake.
struct PlantedBugsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "planted-bugs",
        abstract: "Breaks the cores in every known way, one by one; ends with 1 unless each is noticed."
    )

    @Option(help: "Only those whose names hold this.")
    var only: String?

    func run() throws {
        let bugs = PlantedBug.all.filter { only.map($0.name.contains) ?? true }
        guard !bugs.isEmpty else { throw ValidationError("no planted bug is called so") }
        let caught = Mutex(0)
        Workers.forEach(0...UInt64(bugs.count - 1)) { number in
            let bug = bugs[Int(number)]
            switch bug.search() {
            case .caught(let seed, let reason):
                caught.withLock { $0 += 1 }
                say("caught   \(bug.name), by seed \(seed) of \(bug.seeds): \(reason)")
            case .mistaken(let seed, let reason):
                say("MISTAKEN \(bug.name): seed \(seed) breaks another rule: \(reason)")
            case .missed: say("MISSED   \(bug.name), in \(bug.seeds) seeds")
            }
            return true
        }
        let count = caught.withLock { $0 }
        say("caught \(count)/\(bugs.count)")
        if count < bugs.count { throw ExitCode(1) }
    }
}
