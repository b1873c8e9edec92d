public import ClusterModel

/// Looks after the fence devices that could power off other nodes: asks each for real, again and again, so that a device
/// that would not work is known before it is needed, and an odd set of voters can shrink (RULE 4.2-d).
///
/// Every node asks by itself, for what counts is that one node can power off another *from where it is*. A node does not
/// ask devices that can power off nobody but itself: many machines do not reach their own management controller.
/// A device is asked once per interval, whether it answered or not: controllers that count failed log-ins lock the
/// account of whoever repeats a wrong password faster.
public struct FenceWatch: Sendable {
    /// When the next `tick` is due; nil for never.
    public private(set) var nextDeadline: Instant?

    private let node: NodeID
    private var interval = ClusterProperties.defaultCheckInterval.duration
    private var entries: [String: Entry] = [:]
    /// Checks that were begun and not answered.
    private var running: [UInt64: Running] = [:]
    private var nextNumber: UInt64 = 1
    private var told = DeviceChecks()

    /// A device with what is known of it.
    private struct Entry: Sendable {
        var device: FenceDevice
        /// The nodes that count, without the own.
        var targets: [NodeID]
        var dueAt: Instant
        var result: (at: Instant, check: DeviceCheck)?

        var passed: Bool { result.map { $0.check.failure == nil } ?? false }
    }

    private struct Running: Sendable {
        var device: String
        /// When it counts as failed though nobody answered.
        var until: Instant
    }

    /// What happened.
    public enum Input: Sendable {
        /// A configuration was applied.
        case configuration(ClusterConfiguration)
        /// A check ended; nil means passed.
        case ended(number: UInt64, failure: String?)
        /// The deadline asked for has come.
        case tick
    }

    /// What is to be done.
    public enum Effect: Hashable, Sendable {
        /// Ask a device, for that long at most; answered by one `ended`.
        case check(number: UInt64, FenceDevice, timeout: Duration)
        /// What is known of the devices changed.
        case changed(DeviceChecks)
    }

    /// How many devices are asked at once; each check is a process of its own.
    public static let mostChecks = 4
    /// How long one check may take; never longer than the interval.
    public static let longestCheck = Duration.seconds(20)
    /// How long beyond its time-out an answer is waited for: whoever runs the agent needs time to end it.
    public static let answerGrace = Duration.seconds(5)
    /// For how many intervals a check that passed counts.
    public static let intervalsCounted = 3
    /// Within what time the first checks of all nodes and devices are spread.
    public static let firstWindow = Duration.seconds(5)

    /// Watches nothing before the first configuration.
    public init(node: NodeID) { self.node = node }

    /// Takes one input and says what to do about it.
    ///
    /// - Parameters:
    ///   - input: What happened.
    ///   - now: The present moment; never earlier than in the call before.
    ///   - wallClock: The same in milliseconds since 1970, for display.
    ///   - effects: What to do, appended in order.
    public mutating func receive(_ input: Input, now: Instant, wallClock: Int64, into effects: inout [Effect]) {
        switch input {
        case .configuration(let configuration): follow(configuration, now: now)
        case .ended(let number, let failure): end(number, failure, now: now, wallClock: wallClock)
        case .tick: break
        }
        let unanswered = running.filter { now >= $0.value.until }.keys
        for number in unanswered.sorted() { end(number, "no answer in time", now: now, wallClock: wallClock) }
        begin(now: now, into: &effects)
        let present = known(now: now)
        if present != told {
            told = present
            effects.append(.changed(present))
        }
        nextDeadline = deadline(now: now)
    }

    /// Devices that are new, or are not what they were, are asked soon and count for nothing until then.
    private mutating func follow(_ configuration: ClusterConfiguration, now: Instant) {
        interval = configuration.properties.stonithCheckInterval.duration
        let own = configuration.nodes.firstIndex { $0.id == node } ?? 0
        let slots = max(1, configuration.fenceDevices.count * configuration.nodes.count)
        var kept: [String: Entry] = [:]
        for (index, device) in configuration.fenceDevices.enumerated() {
            let targets = configuration.nodes.filter { $0.id != node && device.targets[$0.name] != nil }.map(\.id)
            if targets.isEmpty { continue }
            if var entry = entries[device.name], entry.device == device {
                entry.targets = targets
                entry.dueAt = min(entry.dueAt, now + interval)
                kept[device.name] = entry
                continue
            }
            let slot = Int64(index * configuration.nodes.count + own)
            let dueAt = now + .nanoseconds(Self.firstWindow.nanoseconds * slot / Int64(slots))
            kept[device.name] = Entry(device: device, targets: targets, dueAt: dueAt)
        }
        // An answer about a device that was changed meanwhile says nothing about what it is now.
        for (number, check) in running where kept[check.device]?.device != entries[check.device]?.device {
            running[number]?.device = ""
        }
        entries = kept
    }

    private mutating func end(_ number: UInt64, _ failure: String?, now: Instant, wallClock: Int64) {
        guard let check = running.removeValue(forKey: number), entries[check.device] != nil else { return }
        let reason = failure.map { String($0.prefix(RecoveryLimits.longestReason)) }
        let result = DeviceCheck(device: check.device, checkedAt: wallClock, failure: reason)
        entries[check.device]?.result = (now, result)
    }

    private mutating func begin(now: Instant, into effects: inout [Effect]) {
        let busy = Set(running.values.map(\.device))
        // Those that passed come first, so that dead devices with their long waits never make good ones look too old.
        let due = entries.values.filter { now >= $0.dueAt && !busy.contains($0.device.name) }.sorted {
            if $0.passed != $1.passed { return $0.passed }
            return ($0.dueAt, $0.device.name) < ($1.dueAt, $1.device.name)
        }
        for entry in due.prefix(max(0, Self.mostChecks - running.count)) {
            let timeout = min(Self.longestCheck, interval)
            running[nextNumber] = Running(device: entry.device.name, until: now + timeout + Self.answerGrace)
            entries[entry.device.name]?.dueAt = now + interval
            effects.append(.check(number: nextNumber, entry.device, timeout: timeout))
            nextNumber += 1
        }
    }

    private func known(now: Instant) -> DeviceChecks {
        var nodes: Set<NodeID> = []
        var checks: [DeviceCheck] = []
        for entry in entries.values {
            guard let result = entry.result else { continue }
            checks.append(result.check)
            if entry.passed, now < result.at + validity { nodes.formUnion(entry.targets) }
        }
        return DeviceChecks(fenceable: nodes.sorted(), checks: checks.sorted { $0.device < $1.device })
    }

    private var validity: Duration { interval * Self.intervalsCounted }

    private func deadline(now: Instant) -> Instant? {
        let busy = Set(running.values.map(\.device))
        var moments = running.values.map(\.until)
        for entry in entries.values {
            // What is due and has to wait goes on when another check ends.
            if !busy.contains(entry.device.name), entry.dueAt > now { moments.append(entry.dueAt) }
            if entry.passed, let result = entry.result, result.at + validity > now {
                moments.append(result.at + validity)
            }
        }
        return moments.min()
    }
}
