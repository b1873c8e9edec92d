public import ClusterModel

/// How one node is powered off: which device is asked what, in which order, and when that counts as proof.
///
/// Devices are tried in order until one verifies. For a device: "off", and only after it was accepted, two readings of
/// the power at least a second apart, both off: one reading alone can fall into the gap of a power cycle. A reading of
/// "on" after an accepted "off" sends "off" again; a device that does not answer a reading is asked again, because
/// management controllers lose their link for seconds when the power changes. Nothing but two readings of "off" is
/// success; the end of the time is failure, and says that the node may still go off later.
///
/// `reboot` and `cycle` are never asked for: they have no moment at which the node is known to be off.
public struct FenceSequence: Sendable {
    /// What happened.
    public enum Input: Sendable {
        /// The fence begins.
        case begin
        /// The agent that was run last has answered.
        case answered(FenceAnswer)
        /// The time that `nextDeadline` named has come.
        case timePassed
        /// The fence has lost its purpose: no "off" is sent from now on, neither a first nor another one.
        case withdrawn
    }

    /// What is to be done.
    public enum Effect: Hashable, Sendable {
        /// Run the agent of a device, until the deadline at most.
        case run(device: Int, FenceAction, deadline: Instant)
        /// The node is off, verified by that device: recovery may begin.
        case verified(device: Int)
        /// All devices failed; the reasons, for the operator.
        case failed(String)
        /// The node was powered on again, or could not be.
        case poweredOn(failure: String?)
        /// All is over.
        case ended
    }

    /// The time between two readings.
    public static let readingInterval = Duration.seconds(1)
    /// How long powering on again may take.
    public static let powerOnLimit = Duration.seconds(40)
    /// How often "off" is sent again to a node that was found on after it.
    public static let mostRepetitions = 3
    /// The least time worth asking a further device for.
    public static let leastShare = Duration.seconds(2)

    private let deviceNames: [String]
    private let deadline: Instant
    private let powersOn: Bool
    private var device = 0
    private var shareEnd: Instant
    private var step = Step.idle
    private var repetitions = 0
    private var failures: [String] = []
    private var lastTrouble = ""
    /// Whether no further "off" may be sent.
    ///
    /// One that was sent is still verified: that the node is off remains a fact.
    public private(set) var isWithdrawn = false

    private enum Step: Sendable {
        case idle
        case poweringOff
        case waiting(readings: Int, until: Instant)
        case reading(readings: Int)
        case poweringOn
        case done
    }

    /// When `timePassed` is due; nil when an agent's answer is awaited or all is over.
    public var nextDeadline: Instant? {
        if case .waiting(_, let until) = step { return until }
        return nil
    }

    /// Plans a fence.
    ///
    /// - Parameters:
    ///   - devices: The names of the devices, in the order in which they are tried.
    ///   - deadline: The end of all attempts.
    ///   - powersOn: Whether the node is powered on again after it was verified off.
    public init(devices: [String], deadline: Instant, powersOn: Bool) {
        deviceNames = devices
        self.deadline = deadline
        self.powersOn = powersOn
        shareEnd = deadline
    }

    /// Takes one step.
    public mutating func receive(_ input: Input, now: Instant, into effects: inout [Effect]) {
        switch (input, step) {
        case (.withdrawn, .idle):
            isWithdrawn = true
            step = .done
            effects += [.failed(Self.withdrawal), .ended]
        case (.withdrawn, _): isWithdrawn = true
        case (.begin, .idle): startDevice(now: now, into: &effects)
        case (.answered(let answer), .poweringOff): offAnswered(answer, now: now, into: &effects)
        case (.timePassed, .waiting(let readings, let until)) where now >= until:
            read(readings: readings, into: &effects)
        case (.answered(let answer), .reading(let readings)):
            readingAnswered(answer, readings: readings, now: now, into: &effects)
        case (.answered(let answer), .poweringOn):
            step = .done
            if case .failed(let reason) = answer {
                effects += [.poweredOn(failure: reason), .ended]
            } else {
                effects += [.poweredOn(failure: nil), .ended]
            }
        default: break
        }
    }

    private mutating func startDevice(now: Instant, into effects: inout [Effect]) {
        if isWithdrawn {
            step = .done
            effects += [.failed((failures + [Self.withdrawal]).joined(separator: "; ")), .ended]
            return
        }
        guard device < deviceNames.count else {
            step = .done
            let reason = failures.isEmpty ? "no fence device for this node" : failures.joined(separator: "; ")
            effects += [.failed(reason), .ended]
            return
        }
        // A silent device must leave time for those after it.
        let left = Int64(deviceNames.count - device)
        shareEnd = now + .nanoseconds(max(0, (deadline - now).nanoseconds / left))
        guard shareEnd - now >= Self.leastShare else {
            failDevice("no time was left for it", now: now, into: &effects)
            return
        }
        repetitions = 0
        lastTrouble = ""
        powerOff(into: &effects)
    }

    private mutating func powerOff(into effects: inout [Effect]) {
        step = .poweringOff
        effects.append(.run(device: device, .off, deadline: shareEnd))
    }

    private mutating func offAnswered(_ answer: FenceAnswer, now: Instant, into effects: inout [Effect]) {
        switch answer {
        // At once: the second reading keeps its distance from the first.
        case .done: read(readings: 0, into: &effects)
        case .failed(let reason): failDevice(reason, now: now, into: &effects)
        case .on, .off: failDevice("off was answered by a reading", now: now, into: &effects)
        }
    }

    private mutating func read(readings: Int, into effects: inout [Effect]) {
        step = .reading(readings: readings)
        effects.append(.run(device: device, .status, deadline: shareEnd))
    }

    private mutating func readingAnswered(
        _ answer: FenceAnswer,
        readings: Int,
        now: Instant,
        into effects: inout [Effect]
    ) {
        switch answer {
        case .off where readings >= 1: verified(now: now, into: &effects)
        case .off: wait(readings: readings + 1, now: now, into: &effects)
        case .on:
            repetitions += 1
            lastTrouble = "the power was on again after off"
            guard repetitions <= Self.mostRepetitions, now < shareEnd, !isWithdrawn else {
                failDevice("\(lastTrouble), \(repetitions) times", now: now, into: &effects)
                return
            }
            powerOff(into: &effects)
        case .failed(let reason):
            lastTrouble = reason
            wait(readings: 0, now: now, into: &effects)
        case .done: failDevice("status did not say on or off", now: now, into: &effects)
        }
    }

    private mutating func wait(readings: Int, now: Instant, into effects: inout [Effect]) {
        let until = now + Self.readingInterval
        guard until < shareEnd else {
            let trouble = lastTrouble.isEmpty ? "" : ": \(lastTrouble)"
            failDevice("off was accepted but not verified in time\(trouble)", now: now, into: &effects)
            return
        }
        step = .waiting(readings: readings, until: until)
    }

    private mutating func verified(now: Instant, into effects: inout [Effect]) {
        effects.append(.verified(device: device))
        guard powersOn else {
            step = .done
            effects.append(.ended)
            return
        }
        step = .poweringOn
        effects.append(.run(device: device, .on, deadline: now + Self.powerOnLimit))
    }

    private static let withdrawal = "withdrawn: it had lost its purpose"

    private mutating func failDevice(_ reason: String, now: Instant, into effects: inout [Effect]) {
        failures.append("\(deviceNames[device]): \(reason)")
        device += 1
        startDevice(now: now, into: &effects)
    }
}
