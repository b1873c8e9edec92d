import ClusterModel

/// Something that is done to the hosts of a lab.
enum Fault: Hashable, Sendable {
    /// The agent is killed; its supervisor starts it again.
    case kill(String)
    /// The agent stands still, alone or with the data plane and the guard.
    case freeze(String, all: Bool)
    /// The Active/Passive process stands still wherever it runs.
    case freezeWork
    /// The cables of a host are pulled.
    case cut(String)
    /// What one host sends does not arrive at another.
    case oneWay(from: String, to: String)
    /// The hosts of different groups cannot reach each other.
    case partition([[String]])
    /// The power is cut.
    case powerOff(String)
    /// An operator puts a node in standby, and takes it back.
    case standby(String)
    /// An operator moves the work to a node.
    case move(String)
}

/// A fault with its time.
struct FaultStep: Hashable, Sendable {
    /// When it begins, from the start of the run.
    var begin: Duration
    /// When it ends.
    var end: Duration
    /// What it is.
    var fault: Fault
}

/// A random plan of faults; the same seed gives the same plan.
struct FaultSchedule: Sendable {
    let steps: [FaultStep]

    /// The longest time between the beginnings of two faults.
    static let longestGap = Duration.milliseconds(3000)
    /// How long faults last: some less than a lease, some longer than detection, election and fence together.
    static let lengths: ClosedRange<Int64> = 100...6000

    /// - Parameters:
    ///   - seed: See above.
    ///   - length: No fault lasts beyond it.
    ///   - hosts: Where.
    ///   - hasWork: Whether there is an Active/Passive process, which stands still or is moved by operators, too.
    init(seed: UInt64, length: Duration, hosts: [String], hasWork: Bool) {
        var random = SeededGenerator(seed: seed)
        var steps: [FaultStep] = []
        var begin = Duration.zero
        while true {
            begin += .milliseconds(Int64.random(in: 100...Self.longestGap.milliseconds, using: &random))
            guard begin < length else { break }
            // Squared, so that short faults are common and long ones happen.
            let share = Double.random(in: 0...1, using: &random)
            let spread = Double(Self.lengths.upperBound - Self.lengths.lowerBound)
            let lasts = Duration.milliseconds(Self.lengths.lowerBound + Int64(share * share * spread))
            let fault = Self.fault(hosts, hasWork, &random)
            steps.append(FaultStep(begin: begin, end: min(begin + lasts, length), fault: fault))
        }
        self.steps = steps
    }

    private static func fault(
        _ hosts: [String],
        _ hasWork: Bool,
        _ random: inout SeededGenerator
    ) -> Fault {
        let order = hosts.shuffled(using: &random)
        let (one, other) = (order[0], order[order.count - 1])
        switch Int.random(in: 0..<(hasWork ? 12 : 8), using: &random) {
        case 0, 1: return .kill(one)
        case 2: return .freeze(one, all: Bool.random(using: &random))
        case 3: return .cut(one)
        case 4, 5: return .oneWay(from: one, to: other)
        case 6:
            let size = Int.random(in: 1..<order.count, using: &random)
            return .partition([Array(order[..<size]), Array(order[size...])])
        case 7: return .powerOff(one)
        case 8: return .freezeWork
        case 9, 10: return .standby(one)
        default: return .move(one)
        }
    }

    /// Beginnings and ends in the order of their times; `isBegin` tells them apart.
    var events: [(at: Duration, isBegin: Bool, fault: Fault)] {
        (steps.map { ($0.begin, true, $0.fault) } + steps.map { ($0.end, false, $0.fault) }).sorted { $0.0 < $1.0 }
    }
}
