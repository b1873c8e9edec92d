import ClusterModel
import Consensus
import Foundation
import Simulation
import Testing

/// Stories as text: commands in `Tests/Golden/consensus/NAME.txt`, and what happens after each in `NAME.expected`.
///
/// `RECORD_GOLDEN=1` writes what happens now over what is expected; read the difference before committing it.
@Suite
struct GoldenScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Golden/consensus")

    @Test(arguments: ["leader-power-off", "partition-and-heal", "chain", "hand-over"])
    func `A story happens as written`(name: String) throws {
        let script = try String(contentsOf: Self.folder.appendingPathComponent("\(name).txt"), encoding: .utf8)
        let happened = try Scenario.run(script)
        let expectedFile = Self.folder.appendingPathComponent("\(name).expected")
        if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
            try happened.write(to: expectedFile, atomically: true, encoding: .utf8)
        }
        #expect(happened == (try String(contentsOf: expectedFile, encoding: .utf8)))
    }
}

/// Carries out one story.
enum Scenario {
    struct UnknownCommand: Error { let line: String }

    static func run(_ script: String) throws -> String {
        var output: [String] = []
        var simulator = Simulator<LogRecorder>(options: .init(nodes: 3), seed: 1)
        for line in script.split(separator: "\n").map(String.init) {
            output.append(line.hasPrefix("#") ? line : "> \(line)")
            if line.hasPrefix("#") { continue }
            let words = line.split(separator: " ").map(String.init)
            if words[0] == "nodes", let count = Int(words[1]), let seed = UInt64(words[3]) {
                var options = SimulationOptions(nodes: count)
                options.transcriptLines = 10_000
                simulator = Simulator(options: options, seed: seed)
                continue
            }
            try carryOut(words, line, &simulator)
            output += simulator.takeTranscript()
            if words[0] == "status" { output += status(simulator) }
        }
        return output.joined(separator: "\n") + "\n"
    }

    private static func carryOut(_ words: [String], _ line: String, _ simulator: inout Simulator<LogRecorder>) throws {
        let leader = simulator.leaders.last ?? NodeID(1)
        switch words[0] {
        case "status": break
        case "run":
            guard let time = Milliseconds(words[1], bare: .milliseconds) else { throw UnknownCommand(line: line) }
            try simulator.run(for: time.duration)
        case "power-off": simulator.powerOff(leader)
        case "power-on": for voter in simulator.voters { simulator.powerOn(voter) }
        case "isolate": simulator.partition([[leader], simulator.voters.filter { $0 != leader }])
        case "propose": simulator.propose(on: leader)
        case "heal": simulator.heal()
        case "transfer": simulator.give(leader, .transferLeadership(to: nil))
        case "cut":
            guard let left = UInt8(words[1]), let right = UInt8(words[2]) else { throw UnknownCommand(line: line) }
            simulator.cut(between: NodeID(left), and: NodeID(right))
        default: throw UnknownCommand(line: line)
        }
    }

    private static func status(_ simulator: Simulator<LogRecorder>) -> [String] {
        simulator.voters.compactMap { voter in
            guard let node = simulator.inspect(voter) else { return nil }
            guard let core = node.core else { return "    n\(voter.rawValue) off" }
            let lease = node.holdsLease ? "lease" : "no lease"
            return "    n\(voter.rawValue) \(core.role) term \(core.term) commit \(core.commitIndex) \(lease)"
        }
    }
}
