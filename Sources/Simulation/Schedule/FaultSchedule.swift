import ClusterModel

/// What happens to a cluster, and when.
public struct FaultSchedule: Hashable, Sendable {
    /// In order of time.
    public var faults: [Fault]

    /// These faults, in order of time.
    public init(_ faults: [Fault]) { self.faults = faults.sorted { $0.at < $1.at } }

    /// One fault a line, below a line that names the columns.
    public var text: String {
        ([Self.columns] + faults.map(\.description)).map { $0 + "\n" }.joined()
    }

    private static let columns = "# ms kind node other length-ms amount"

    /// Reads the text again; empty lines and those that begin with `#` say nothing.
    ///
    /// - Returns: The schedule, or the first line that is no fault.
    public static func parse(_ text: String) -> Result<FaultSchedule, UnreadableFault> {
        var faults: [Fault] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") && !line.allSatisfy({ $0 == " " }) {
            guard let fault = Fault(parsing: line) else { return .failure(UnreadableFault(line: String(line))) }
            faults.append(fault)
        }
        return .success(FaultSchedule(faults))
    }

    /// Draws a schedule.
    ///
    /// Each one has a mood of its own: about half of the kinds, at a pace between six faults a second and one in five
    /// seconds. Schedules in which everything happens all the time are alike, and find less.
    ///
    /// - Parameters:
    ///   - seed: The same seed draws the same.
    ///   - nodes: Nodes are numbered from 1.
    ///   - milliseconds: How long faults go on.
    ///   - excluded: Kinds that must not occur.
    /// - Returns: The schedule.
    public static func drawn(
        seed: UInt64,
        nodes: Int,
        milliseconds: Int64,
        excluded: (FaultKind) -> Bool = { _ in false }
    ) -> FaultSchedule {
        var random = SeededGenerator(seed: seed ^ 0x5C4E_D01E)
        let pace = [150, 400, 400, 1000, 1000, 2500, 5000].randomElement(using: &random) ?? 1000
        var kinds = FaultKind.allCases.filter { !excluded($0) && Int.random(in: 0..<2, using: &random) == 0 }
        // Without these most runs would end with everything down.
        kinds += [.heal, .powerOn]
        var faults: [Fault] = []
        var time: Int64 = 0
        while true {
            time += Int64.random(in: 1...Int64(2 * pace), using: &random)
            guard time < milliseconds, let kind = kinds.randomElement(using: &random) else { break }
            faults.append(draw(kind, at: time, nodes: nodes, &random))
        }
        return FaultSchedule(faults)
    }

    private static func draw(_ kind: FaultKind, at time: Int64, nodes: Int, _ random: inout SeededGenerator) -> Fault {
        let node = UInt8.random(in: 1...UInt8(nodes), using: &random)
        // Another one, if there is another.
        let step = nodes > 1 ? UInt8.random(in: 1..<UInt8(nodes), using: &random) : 0
        let other = (node - 1 + step) % UInt8(nodes) + 1
        let hitsLeader = kind.prefersLeader && Int.random(in: 0..<3, using: &random) == 0
        return Fault(
            kind,
            at: time,
            node: hitsLeader ? nil : NodeID(node),
            other: NodeID(other),
            length: length(of: kind, &random),
            amount: amount(of: kind, nodes: nodes, &random)
        )
    }

    /// Short and long ones alike: the exponent is drawn evenly, not the time.
    private static func length(of kind: FaultKind, _ random: inout SeededGenerator) -> Int64 {
        let range: ClosedRange<Int64> =
            switch kind {
            case .pause: 100...30_000
            case .killAgent, .crashBeforeWrite, .crashAfterWrite, .leave, .upgrade: 50...10_000
            case .powerOff, .tornWrite, .bmcSharesPower: 1000...20_000
            case .flap: 50...1500
            case .unblock, .stopAll, .confirmOff: 4000...20_000
            case .swizzle: 500...8000
            case .restart, .powerOn, .heal, .clockRate, .wallClockJump, .processDies, .configure, .standby, .move,
                .disable, .maintenance, .cleanup, .addNode, .removeNode, .loseDisk, .nodeRole:
                0...0
            default: 200...15_000
            }
        guard range.upperBound > range.lowerBound else { return 0 }
        var length = range.lowerBound
        while length < range.upperBound, Int.random(in: 0..<4, using: &random) > 0 { length *= 2 }
        return min(range.upperBound, Int64.random(in: length...(2 * length), using: &random))
    }

    private static func amount(of kind: FaultKind, nodes: Int, _ random: inout SeededGenerator) -> Int {
        switch kind {
        case .drop, .delay, .duplicate: Int.random(in: 20...500, using: &random)
        case .reorder: Int.random(in: 2...60, using: &random)
        case .fullPartition: Int.random(in: 1..<max(2, 1 << nodes - 1), using: &random)
        case .flap: Int.random(in: 1...8, using: &random)
        case .slowDisk: Int.random(in: 5...100, using: &random)
        case .clockRate:
            [-100_000, 100_000, Int.random(in: -100_000...100_000, using: &random)]
                .randomElement(using: &random) ?? 0
        case .wallClockJump: Int.random(in: -100_000...100_000, using: &random)
        case .bmcSlow: Int.random(in: 2...15, using: &random)
        case .bmcLies: Int.random(in: 0..<3, using: &random) == 0 ? 0 : Int.random(in: 1...5000, using: &random)
        case .agentHangs, .monitorLies, .failsToStart: Int.random(in: 50...1000, using: &random)
        case .failsToStop: Int.random(in: 50...500, using: &random)
        default: Int.random(in: 0..<10_000, using: &random)
        }
    }
}

/// A line that is no fault.
public struct UnreadableFault: Error, Hashable, Sendable {
    /// The line.
    public let line: String
}

extension FaultKind {
    /// Whether it is worth aiming at the leader.
    fileprivate var prefersLeader: Bool {
        switch self {
        case .pause, .killAgent, .restart, .powerOff, .crashBeforeWrite, .crashAfterWrite, .tornWrite, .slowDisk,
            .fullDisk, .oneWayCut, .leave, .bmcSharesPower:
            true
        default: false
        }
    }
}
