import ClusterModel
import NodeCore

/// Faults of a schedule, as they come.
extension ClusterSimulator {
    private static let millisecond: TrueTime = 1_000_000

    /// Lets a fault happen now.
    ///
    /// - Returns: Whether there was anything that it could happen to.
    public mutating func inject(_ fault: Fault) -> Bool {
        guard let node = fault.node ?? leader ?? members.first, let index = index(of: node) else { return false }
        let until = now + fault.length * Self.millisecond
        switch fault.kind {
        case .drop, .delay, .duplicate, .reorder: return disturb(fault.kind, fault.amount, until: until)
        case .oneWayCut, .partialPartition, .fullPartition, .swizzle, .flap, .heal:
            return cutLinks(fault, node, until: until)
        case .pause, .killAgent, .restart, .powerOff, .powerOn: return interrupt(fault, index, until: until)
        case .crashBeforeWrite: return arm(index, .before, until)
        case .crashAfterWrite: return arm(index, .after, until)
        case .tornWrite: return arm(index, .within, until)
        case .slowDisk:
            hosts[index].slowness = .init(factor: Int64(fault.amount), until: until)
            note(index, "its disk is slow")
        case .fullDisk:
            guard hosts[index].isPowered, hosts[index].diskFullUntil <= now else { return false }
            hosts[index].diskFullUntil = until
            note(index, "its disk is full for \(fault.length) ms")
        case .clockRate:
            hosts[index].clock.setRate(Int64(max(-100_000, min(100_000, fault.amount))), at: now)
            hosts[index].wakeAt = nil
            note(index, "its clock runs \(fault.amount) ppm fast")
            armWake(index)
        case .wallClockJump:
            hosts[index].wallClockError += Int64(fault.amount) * 1000
            note(index, "its wall clock is set by \(fault.amount) s")
        case .bmcSlow, .bmcFails, .bmcLies, .bmcMiswired, .bmcSharesPower:
            return spoilController(fault, index, until: until)
        case .agentHangs, .failsToStart, .failsToStop, .monitorLies, .processDies:
            return spoilRunner(fault, index, until: until)
        case .configure, .standby, .move, .disable, .maintenance, .cleanup, .leave:
            return operate(fault, node, until: until)
        case .addNode, .removeNode, .loseDisk, .nodeRole, .unblock, .stopAll, .confirmOff:
            return changeMembers(fault, node, until: until)
        case .arbiterSilent:
            guard hasArbiter else { return false }
            for machine in machines where machine == node || fault.amount.isMultiple(of: 2) {
                cut(Self.arbiter, machine, until: until)
            }
            note(fault.amount.isMultiple(of: 2) ? nil : index, "the arbiter is silent for \(fault.length) ms")
        case .upgrade: return install(fault, index, until: until)
        }
        return true
    }

    // MARK: Network

    private mutating func disturb(_ kind: FaultKind, _ amount: Int, until: TrueTime) -> Bool {
        disturbances[kind] = (amount, until)
        note(nil, "the network has \(kind.rawValue) \(amount)")
        queue.insert(.qualityChanges, at: until)
        updateQuality()
        return true
    }

    /// The network as the faults make it that have not ended.
    mutating func updateQuality() {
        disturbances = disturbances.filter { $0.value.until > now }
        var quality = options.machines.network
        if let drop = disturbances[.drop] { quality.lossPerMille = drop.amount }
        if let double = disturbances[.duplicate] { quality.duplicatePerMille = double.amount }
        if let delay = disturbances[.delay] { quality.delayedPerMille = delay.amount }
        if let reorder = disturbances[.reorder] {
            let longest = max(Int64(reorder.amount) * Self.millisecond, quality.usualDelay.upperBound)
            quality.usualDelay = quality.usualDelay.lowerBound...longest
        }
        network.quality = quality
    }

    private mutating func cutLinks(_ fault: Fault, _ node: NodeID, until: TrueTime) -> Bool {
        guard fault.kind != .heal else {
            heal()
            return true
        }
        guard hosts.count > 1 else { return false }
        let other = fault.other
        note(nil, "\(fault.kind.rawValue) n\(node.rawValue) n\(other.rawValue) \(fault.amount), \(fault.length) ms")
        switch fault.kind {
        case .oneWayCut: cut(node, other, until: until)
        case .partialPartition: cutBoth(node, other, from: now, until: until)
        case .fullPartition:
            let isIn = { (node: NodeID) in fault.amount >> (Int(node.rawValue) - 1) & 1 == 1 }
            for left in machines where isIn(left) {
                for right in machines where !isIn(right) { cutBoth(left, right, from: now, until: until) }
                // The arbiter is with those who are left out.
                if hasArbiter { cutBoth(left, Self.arbiter, from: now, until: until) }
            }
        case .swizzle: swizzle(fault)
        default:
            // Down and up again, as often as it says.
            for round in 0..<Int64(max(1, min(fault.amount, 50))) {
                let start = now + 2 * round * fault.length * Self.millisecond
                cutBoth(node, other, from: start, until: start + fault.length * Self.millisecond)
            }
        }
        return true
    }

    private mutating func cut(_ from: NodeID, _ to: NodeID, from start: TrueTime? = nil, until end: TrueTime) {
        let repairs = network.repairs
        if let start, start > now {
            queue.insert(.link(from: from, to: to, isCut: true, repairs: repairs), at: start)
        } else {
            network.cut(from: from, to: to)
        }
        queue.insert(.link(from: from, to: to, isCut: false, repairs: repairs), at: end)
    }

    private mutating func cutBoth(_ left: NodeID, _ right: NodeID, from start: TrueTime, until end: TrueTime) {
        cut(left, right, from: start, until: end)
        cut(right, left, from: start, until: end)
    }

    private mutating func swizzle(_ fault: Fault) {
        var order = SeededGenerator(seed: UInt64(fault.amount))
        var directions: [(NodeID, NodeID)] = []
        for from in machines {
            for to in machines where to != from && Bool.random(using: &order) { directions.append((from, to)) }
        }
        let half = fault.length * Self.millisecond / 2
        for (from, to) in directions {
            let start = now + Int64.random(in: 0...half, using: &order)
            cut(from, to, from: start, until: now + half + Int64.random(in: 0...half, using: &order))
        }
    }

    // MARK: Processes and machines

    private mutating func interrupt(_ fault: Fault, _ index: Int, until: TrueTime) -> Bool {
        let host = hosts[index]
        switch fault.kind {
        case .pause:
            guard host.isRunning else { return false }
            pause(host.id, for: .milliseconds(fault.length))
        case .killAgent, .restart:
            guard host.agent != nil else { return false }
            killAgent(host.id)
            queue.insert(.start(index), at: until)
        case .powerOff:
            guard host.isPowered else { return false }
            powerOff(host.id)
            queue.insert(.boot(index), at: until)
        default:
            guard !host.isPowered || host.agent == nil else { return false }
            powerOn(host.id)
            startAgent(host.id)
        }
        return true
    }

    private mutating func arm(_ index: Int, _ point: SimulatedHost.CrashPoint, _ until: TrueTime) -> Bool {
        guard hosts[index].agent != nil else { return false }
        hosts[index].crash = (point, until - now)
        return true
    }

    // MARK: What runs resources, and what switches machines off

    private mutating func spoilController(_ fault: Fault, _ index: Int, until: TrueTime) -> Bool {
        let host = hosts[index]
        switch fault.kind {
        case .bmcSlow:
            host.controller.slowUntil = until
            host.controller.slowness = Int64(max(1, fault.amount))
        case .bmcFails: host.controller.failsUntil = until
        case .bmcLies:
            host.controller.liesUntil = until
            host.controller.lateness = Int64(fault.amount) * Self.millisecond
        case .bmcMiswired:
            guard let other = self.index(of: fault.other), other != index else { return false }
            host.controller.miswiredUntil = until
            host.controller.wiredTo = other
        default:
            guard host.isPowered else { return false }
            powerOff(host.id)
            host.controller.failsUntil = until
            queue.insert(.boot(index), at: until)
        }
        note(index, "\(fault.kind.rawValue) for \(fault.length) ms")
        return true
    }

    private mutating func spoilRunner(_ fault: Fault, _ index: Int, until: TrueTime) -> Bool {
        let rate = SimulatedHost.Runner.Rate(perMille: fault.amount, until: until)
        switch fault.kind {
        case .agentHangs: hosts[index].runner.hangs = rate
        case .failsToStart: hosts[index].runner.failedStarts = rate
        case .failsToStop: hosts[index].runner.failedStops = rate
        case .monitorLies: hosts[index].runner.lies = rate
        default:
            guard let name = resource(fault.amount)?.name else { return false }
            let places = hosts.indices.filter { hosts[$0].active[name] != nil }
            guard !places.isEmpty, !observer.isAddress(name) else { return false }
            for place in places { killProcess(name, place) }
            return true
        }
        note(index, "\(fault.kind.rawValue) \(fault.amount) for \(fault.length) ms")
        return true
    }

    /// A resource by a number that may be larger than there are any.
    func resource(_ number: Int) -> Resource? {
        let resources = options.configuration.resources
        return resources.isEmpty ? nil : resources[number % resources.count]
    }

    /// All faults that would end by themselves end now; cut links stay cut, and who is off stays off.
    public mutating func endFaults() {
        note(nil, "faults end")
        operatorsRest = true
        disturbances = [:]
        updateQuality()
        for host in hosts {
            host.slowness = .init()
            host.crash = nil
            host.controller = .init()
            host.runner = .init()
            host.diskFullUntil = min(host.diskFullUntil, now)
        }
        for index in hosts.indices where hosts[index].knowsDiskFull {
            // All that waited for room is written at once.
            for _ in hosts[index].disk.waiting {
                queue.insert(.written(index, hosts[index].disk.incarnation), at: now)
            }
        }
    }
}
