import ClusterModel
import NodeCore

/// Power controllers, sound and otherwise.
extension ClusterSimulator {
    mutating func fence(_ index: Int, _ target: NodeID, _ incarnation: Incarnation) {
        observer.fences(target, incarnation, by: hosts[index])
        powerOffByController(index, target, incarnation)
    }

    /// Sends a power-off on its way.
    mutating func powerOffByController(_ index: Int, _ target: NodeID, _ incarnation: Incarnation) {
        fences += 1
        note(index, "asks the controller of n\(target.rawValue) to power incarnation \(incarnation) off")
        guard let victim = self.index(of: target) else { return }
        let delay = fenceDelay(of: hosts[victim].controller)
        let command = PowerCommand(
            asker: index,
            askerIncarnation: hosts[index].disk.incarnation,
            target: victim,
            incarnation: incarnation,
            endsAt: now + delay
        )
        queue.insert(.command(command), at: now + delay / 2)
        controllersRestAt = max(controllersRestAt, now + delay)
        hosts[victim].isFencedUntil = max(hosts[victim].isFencedUntil, now + delay)
    }

    private mutating func fenceDelay(of controller: SimulatedHost.Controller) -> TrueTime {
        let delay = Int64.random(in: options.fenceDelay, using: &random)
        return controller.slowUntil > now ? delay * controller.slowness : delay
    }

    /// The command has reached the controller.
    mutating func obey(_ command: PowerCommand) {
        let controller = hosts[command.target].controller
        var worked = true
        var lies = false
        if controller.failsUntil > now {
            worked = false
            // One that fails may have cut the power all the same; one without power of its own cannot.
            if hosts[command.target].isPowered, Bool.random(using: &random) { cutPower(command.target) }
        } else if controller.liesUntil > now {
            lies = true
            let moment = command.endsAt + controller.lateness
            if controller.lateness > 0 {
                queue.insert(.cutPower(command.target), at: moment)
                boot(command.target, after: moment)
            }
        } else if controller.miswiredUntil > now, let other = controller.wiredTo {
            lies = true
            cutPower(other)
            boot(other, after: command.endsAt)
        } else {
            cutPower(command.target)
        }
        boot(command.target, after: command.endsAt)
        queue.insert(.fenceEnds(command, worked: worked, lies: lies), at: command.endsAt)
    }

    mutating func cutPower(_ index: Int) {
        guard hosts[index].isPowered else { return }
        note(index, "is powered off by a controller")
        powerOff(hosts[index].id)
    }

    /// A machine that was powered off comes back by itself.
    private mutating func boot(_ index: Int, after end: TrueTime) {
        let time = end + Int64.random(in: options.bootDelay, using: &random)
        queue.insert(.boot(index), at: time)
        controllersRestAt = max(controllersRestAt, time)
    }

    /// The asker reads the state of the power, and hears what the controller says of it.
    mutating func endFence(_ command: PowerCommand, worked: Bool, lies: Bool) {
        let host = hosts[command.target]
        if lies, host.isPowered {
            note(command.target, "is said to be off, and is not")
            // An agent that started anew meanwhile is not meant, but what it found running is.
            host.falselyDead = max(host.falselyDead, command.incarnation)
        }
        // A machine that is on again would be read as on, so this attempt would fail; it is tried again.
        let isReadOff = lies || !host.isPowered
        let failure: String? = worked && isReadOff ? nil : "the controller does not answer"
        let input = NodeInput.fenceEnded(
            node: host.id,
            incarnation: command.incarnation,
            failure: failure
        )
        queue.insert(.tell(command.asker, command.askerIncarnation, input), at: now)
    }

    /// Logs in to a controller of each node; one that lies answers like any other.
    mutating func checkControllers(_ index: Int, _ number: UInt64, _ checks: [FenceCheck]) {
        let isSilent = checks.contains { check in
            self.index(of: check.node).map { hosts[$0].controller.failsUntil > now } ?? true
        }
        let failure = isSilent ? "a controller does not answer" : nil
        let input = NodeInput.fenceDevicesChecked(number: number, failure: failure)
        let delay = Int64.random(in: options.fenceDelay, using: &random) / 4
        queue.insert(.tell(index, hosts[index].disk.incarnation, input), at: now + delay)
    }
}
