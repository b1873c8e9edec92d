import ClusterModel

/// Telling nodes what to run, and the operator what is wrong.
extension RecoveryCore {
    /// Sends every node that is heard its sheet: when it changes, and again until the node's report answers it.
    mutating func decideOrders(_ round: inout Round) {
        var orders: [NodeID: [RunOrder]] = [:]
        for (resource, assignment) in round.state.assignments {
            guard withdrawals[resource]?.epoch != assignment.epoch,
                present(assignment.node)?.incarnation == assignment.incarnation
            else { continue }
            orders[assignment.node, default: []].append(RunOrder(resource: resource, epoch: assignment.epoch))
        }
        for node in nodes.keys {
            let run = orders[node]?.sorted { $0.resource < $1.resource } ?? []
            send(run, to: node, &round)
        }
        for (resource, withdrawal) in withdrawals where withdrawal.sequence == nil {
            // To a node that is not heard nothing was sent, so the newest sheet may still hold the order.
            guard let node = round.state.assignments[resource]?.node, let sent = nodes[node]?.sent,
                !sent.sheet.run.contains(where: { $0.resource == resource })
            else { continue }
            withdrawals[resource]?.sequence = sent.sheet.sequence
        }
    }

    private mutating func send(_ run: [RunOrder], to node: NodeID, _ round: inout Round) {
        guard let index = nodes.index(of: node), let present = nodes.values[index].present,
            nodes.values[index].report?.probed != false, isHeard(node, round.state)
        else { return }
        let found = left(on: node, round.state)
        let leave = found.isEmpty ? nil : found
        let seen = nodes.values[index].report?.sequence ?? 0
        let last = nodes.values[index].sent
        var sheet =
            last?.sheet
            ?? OrderSheet(term: term, sequence: 0, session: present.session, version: 0, run: [])
        if last == nil || sheet.run != run || sheet.leave != leave || sheet.version != round.state.version {
            sheet.sequence += 1
            sheet.version = round.state.version
            sheet.run = run
            sheet.leave = leave
        } else if let last {
            if last.answered { return }
            // A report that came after the sheet and does not answer it was made by a node that refused the sheet.
            let interval = RecoveryLimits.repetition(of: sheet, seen: seen)
            guard round.now >= last.at + interval else { return round.wake(at: last.at + interval) }
        }
        sheet.answers = seen
        nodes[node]?.sent = SentSheet(sheet: sheet, at: round.now, answered: false)
        round.effects.append(.send(sheet, to: node))
        round.wake(at: round.now + RecoveryLimits.sheetInterval)
    }

    /// Tells what is wrong now, each thing once when it begins.
    mutating func tell(_ round: inout Round) {
        if round.conditions != conditions {
            let known = Set(conditions)
            for condition in round.conditions where condition.isRemarkable && !known.contains(condition) {
                round.effects.append(.notice(condition))
            }
        }
        conditions = round.conditions
    }
}

extension RecoveryLimits {
    /// How long a sheet waits for its answer before it is sent again.
    fileprivate static func repetition(of sheet: OrderSheet, seen: UInt64) -> Duration {
        if seen == sheet.answers { return sheetInterval }
        // The first sheet of a leader is refused by every node that it had not heard a report of.
        return sheet.answers == 0 ? .zero : shortestSheetInterval
    }
}
