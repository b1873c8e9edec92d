import ClusterModel
import Consensus
import NodeCore

/// Disks: what is on them when, and the deaths that happen around a write.
extension ClusterSimulator {
    mutating func write(_ index: Int, _ batch: PersistBatch) {
        let host = hosts[index]
        if batch.writes.branch != nil { checkVeto(index) }
        if let crash = host.crash, crash.point == .before {
            host.crash = nil
            note(index, "dies before it writes")
            endAgent(index, surviving: 0)
            queue.insert(.start(index), at: now + crash.downFor)
            return
        }
        host.disk.enqueue(batch)
        var delay = Int64.random(in: options.machines.diskDelay, using: &random)
        if host.slowness.until > now { delay *= host.slowness.factor }
        host.diskBusyUntil = max(now, host.diskBusyUntil) + delay
        queue.insert(.written(index, host.disk.incarnation), at: host.diskBusyUntil)
        if let crash = host.crash, crash.point == .within {
            host.crash = nil
            let moment = Int64.random(in: 0..<delay, using: &random)
            queue.insert(.crash(index, host.disk.incarnation, downFor: crash.downFor), at: now + moment)
        }
    }

    mutating func written(_ index: Int, _ incarnation: Incarnation) {
        let host = hosts[index]
        guard let agent = host.agent, agent.core.incarnation == incarnation else { return }
        if let pause = host.pause {
            queue.insert(.written(index, incarnation), at: pause.until)
            return
        }
        if host.diskFullUntil > now {
            // As the agent: it tries the same batches again until they are written.
            queue.insert(.written(index, incarnation), at: host.diskFullUntil)
            guard !host.knowsDiskFull else { return }
            host.knowsDiskFull = true
            return feed(index, .storage(working: false))
        }
        let before = (host.disk.durable.term, host.disk.durable.votedFor)
        guard let receipt = host.disk.writeNext() else { return }
        observer.wroteVote(host, before: before)
        if let crash = host.crash, crash.point == .after {
            host.crash = nil
            note(index, "dies when it has written")
            endAgent(index, surviving: 0)
            queue.insert(.start(index), at: now + crash.downFor)
            return
        }
        host.knowsDiskFull = false
        feed(index, .persisted(receipt))
    }

    /// Power is lost while something is on its way to the disk.
    mutating func crash(_ index: Int, _ incarnation: Incarnation, downFor: TrueTime) {
        guard hosts[index].isPowered, hosts[index].agent?.core.incarnation == incarnation else { return }
        note(index, "loses power in the middle of a write")
        powerOff(hosts[index].id)
        queue.insert(.boot(index), at: now + downFor)
    }

    /// The agent is gone, and with it all writes on their way but the first `count`, or a number of them left to chance.
    mutating func endAgent(_ index: Int, surviving count: Int? = nil) {
        let host = hosts[index]
        host.agent = nil
        host.pause = nil
        host.operations = [:]
        observer.deposed(host, index)
        let waiting = host.disk.waiting.count
        host.disk.crash(surviving: count ?? (waiting == 0 ? 0 : Int.random(in: 0...waiting, using: &random)))
    }
}
