import ClusterModel
import Placement
import Recovery

extension World {
    /// Pretends to run an operation, and checks on the way in what must hold whenever anything starts.
    func begin(_ operation: Operation, on host: Host) {
        let name = operation.resource.name
        note("node \(host.id.rawValue)", "\(operation.kind.rawValue) \(name)")
        host.operations[operation.id] = operation
        if operation.kind == .start {
            host.active.insert(name)
            starts += 1
            checkStart(name, on: host)
        }
        let incarnation = host.incarnation
        after(duration(of: operation.kind)) { world in
            guard host.incarnation == incarnation, host.executor != nil,
                host.operations.removeValue(forKey: operation.id) != nil
            else { return }
            let outcome = world.end(operation, on: host)
            // The runner's child ends in its own time; a stalled agent hears of it later.
            world.tell(host.id, .operationEnded(name, operation: operation.id, outcome))
        }
    }

    private func duration(of kind: OperationKind) -> Int64 {
        let usual: Int64 =
            switch kind {
            case .probe: 2
            case .start: 20
            case .stop: 10
            case .monitor, .kill: 5
            }
        return faults.longestDelay > 1 ? .random(in: 1...usual * 2, using: &random) : usual
    }

    private func end(_ operation: Operation, on host: Host) -> OperationOutcome {
        let name = operation.resource.name
        let fails = broken.contains("\(operation.kind.rawValue) \(name) \(host.id.rawValue)")
        switch operation.kind {
        case .probe:
            return host.active.contains(name) ? .succeeded : .notRunning
        case .start:
            if fails || happens(faults.failedStarts) { return .failed("no") }
            host.startedBy[name] = operation.id
            return .succeeded
        case .monitor:
            if fails || happens(faults.failedMonitors) { return .failed("sick") }
            return host.active.contains(name) ? .succeeded : .notRunning
        case .stop:
            if fails || happens(faults.failedStops) { return .failed("stuck") }
            host.active.remove(name)
            return .succeeded
        case .kill:
            if fails || happens(faults.failedStops * 10) { return .failed("stuck") }
            host.active.remove(name)
            return .succeeded
        }
    }

    /// Lets a process die by itself.
    func killProcess(_ resource: ResourceName, on node: NodeID) {
        guard let host = hosts[node], host.active.contains(resource), let start = host.startedBy[resource] else {
            return
        }
        note("node \(node.rawValue)", "\(resource) dies")
        tell(node, .processExited(resource, startedBy: start, reason: "killed by signal 9"))
    }

    func changeParameters(of resource: ResourceName, _ value: Int) {
        configure { configuration in
            guard let position = configuration.resources.firstIndex(where: { $0.name == resource }),
                case .process(var process) = configuration.resources[position].kind
            else { return }
            process.environment["VALUE"] = String(value)
            configuration.resources[position].kind = .process(process)
        }
    }

    /// S1, S2 and S6 at the moment of a start.
    private func checkStart(_ name: ResourceName, on host: Host) {
        let others = nodes.filter { $0 != host.id && hosts[$0]?.active.contains(name) == true }
        if !others.isEmpty { violate("S1 \(name) starts on \(host.id), active on \(others)") }
        let assignment = state.assignments[name]
        if assignment?.node != host.id || assignment?.incarnation != host.incarnation {
            violate("S2 \(name) starts on \(host.id) \(host.incarnation), assigned \(String(describing: assignment))")
        }
        for constraint in state.configuration.colocations where constraint.resource == name || constraint.with == name {
            let other = constraint.resource == name ? constraint.with : constraint.resource
            for node in nodes where hosts[node]?.active.contains(other) == true {
                // A follower whose node was lost waits for its own requirement; its primary may be ahead of it.
                let waits = constraint.with == name && state.assignments[other]?.node == node
                if constraint.score == .infinity, node != host.id, !waits {
                    violate("S6 \(name) starts on \(host.id), \(other) is on \(node)")
                }
                if constraint.score == .minusInfinity, node == host.id {
                    violate("S6 \(name) starts on \(host.id) beside \(other)")
                }
            }
        }
    }

    func violate(_ what: String) {
        note("VIOLATION", what)
        violations.append("\(now): \(what)")
    }

    /// What an effect says, for scenario files; nil for what would only be noise there.
    func describe(_ effect: RecoveryEffect) -> String? {
        switch effect {
        case .propose(let change): "proposes \(describe(change))"
        case .send(let sheet, let node):
            "orders node \(node.rawValue) #\(sheet.sequence): "
                + (sheet.run.isEmpty
                    ? "nothing" : sheet.run.map { "\($0.resource)@\($0.epoch)" }.joined(separator: " "))
        case .fence(let node, let incarnation, let devices):
            "fences node \(node.rawValue) incarnation \(incarnation) by \(devices.map(\.name).joined(separator: ", "))"
        case .denyLease(let nodes): "denies leases to \(nodes.map { Int($0.rawValue) }.sorted())"
        case .stepDown(let reason): "steps down: \(reason)"
        case .notice(let notice): "notice \(notice)"
        }
    }

    private func describe(_ change: Change) -> String {
        switch change {
        case .assign(let list): "assign " + list.map { "\($0.resource)->\($0.node.rawValue)" }.joined(separator: " ")
        case .release(let resource, let epoch): "release \(resource)@\(epoch)"
        case .announce(let node, let incarnation): "announce node \(node.rawValue) incarnation \(incarnation)"
        case .left(let node, let incarnation): "left node \(node.rawValue) incarnation \(incarnation)"
        case .fenceOrdered(let node, _, let reason): "fence of node \(node.rawValue): \(reason)"
        case .fenceEnded(let node, _, let failure):
            "end of fence of node \(node.rawValue): \(failure ?? "verified off")"
        case .failure(let resource, let node, let reason, let stopFailed, _, let number):
            "failure \(number) of \(resource) on node \(node.rawValue): \(reason)\(stopFailed ? " (stop)" : "")"
        case .cleanup(let resource, let node): "cleanup \(resource) \(node.map { "node \($0.rawValue)" } ?? "")"
        case .move(let resource, let node): "move \(resource) to node \(node.rawValue)"
        case .found(let resource, let node, _, let besides):
            "\(resource) found on node \(node.rawValue)" + (besides.map { ", besides node \($0.rawValue)" } ?? "")
        case .moveEnded(let resource): "end of move of \(resource)"
        case .fenceConfirmed(let node, _): "node \(node.rawValue) is confirmed off"
        case .stopAll, .stopAllEnded: "stop of all nodes"
        case .historyGaveWay: "end of another history"
        case .raiseLevel(let level): "level \(level)"
        case .configure: "configuration"
        case .installKey, .useKey, .retireKeys: "the cluster's secret"
        }
    }
}
