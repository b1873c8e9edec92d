import ArgumentParser
import Simulation
import Synchronization

/// Cuts clusters into every shape.
struct PartitionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partitions",
        abstract: "Cuts clusters of two nodes and more in every way; ends with 1 if one stands still that need not."
    )

    @Option(help: "The largest cluster, 2 to 5 nodes.")
    var nodes = 5

    @Option(help: "Runs of each shape, each with other names for the nodes.")
    var runs = 1

    func validate() throws {
        if !(2...5).contains(nodes) { throw ValidationError("--nodes takes 2 to 5") }
        if !(1...1000).contains(runs) { throw ValidationError("--runs takes 1 to 1000") }
    }

    private struct Sum {
        var shapes = 0
        var leadable = 0
        var committing = 0
        var beyond = 0
        var violations = 0
    }

    func run() throws {
        var isSound = true
        for size in 2...nodes {
            let shapes = PartitionShape.all(of: size)
            let sum = Mutex(Sum())
            let runs = UInt64(runs)
            Workers.forEach(0...UInt64(shapes.count) * runs - 1) { number in
                let shape = shapes[Int(number / runs)]
                let seed = number % runs + 1
                let outcome = shape.run(seed: seed)
                sum.withLock { Self.count(shape, seed, outcome, &$0) }
                return true
            }
            let total = sum.withLock { $0 }
            say(
                "\(size) nodes: \(shapes.count) shapes, \(total.shapes) runs; with a majority that one node reaches "
                    + "both ways: \(total.leadable), of which \(total.committing) commit and keep their leader; "
                    + "of the others \(total.beyond) commit; violations: \(total.violations)"
            )
            isSound = isSound && total.violations == 0
        }
        if !isSound { throw ExitCode(1) }
    }

    private static func count(_ shape: PartitionShape, _ seed: UInt64, _ outcome: PartitionOutcome, _ sum: inout Sum) {
        sum.shapes += 1
        let majority = shape.leadableMajority
        if let failure = outcome.failure {
            sum.violations += 1
            return say("\(shape), seed \(seed): \(failure)")
        }
        guard !majority.isEmpty else {
            if outcome.commits { sum.beyond += 1 }
            return
        }
        sum.leadable += 1
        if outcome.commits && outcome.isStable {
            sum.committing += 1
        } else {
            sum.violations += 1
            for line in outcome.story.suffix(30) { say("  " + line) }
            say(
                "\(shape), seed \(seed): L2: \(majority.map { String($0 + 1) }.joined(separator: ",")) could go on; "
                    + (outcome.commits ? "they do, and change their leader" : "nobody commits")
            )
        }
    }
}
