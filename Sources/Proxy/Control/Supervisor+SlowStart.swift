import Balancing
import ClusterModel
import LinuxIO

extension LiveServer {
    /// Starts to grow its share when it has come up again; a server that was never seen otherwise has all of it.
    mutating func noteRise(from before: ServerStatus, now: Instant) {
        guard configuration.slowStart != nil, condition.status == .up else {
            return growAtOnce()
        }
        if before == .down || before == .maint {
            risen = now
            sixteenths = 1
        }
    }

    /// Gives it its whole share.
    mutating func growAtOnce() {
        risen = nil
        sixteenths = SlowStart.whole
    }

    /// How long it has been up again, and how long its share grows; nil for one that has all of it.
    fileprivate func growth(now: Instant) -> (elapsed: Milliseconds, time: Milliseconds)? {
        guard let risen, let time = configuration.slowStart else { return nil }
        return (Milliseconds((now - risen).milliseconds), time)
    }
}

extension Supervisor {
    /// When some server's share grows next; nil when all have theirs.
    func nextGrowth(now: Instant) -> Instant? {
        var next: Instant?
        for listener in listeners {
            for server in listener.servers {
                guard let (elapsed, time) = server.growth(now: now) else { continue }
                let isDue = SlowStart.sixteenths(elapsed: elapsed, of: time) != server.sixteenths
                let wait = isDue ? 0 : SlowStart.next(elapsed: elapsed, of: time)?.count ?? 0
                let due = now + .milliseconds(wait)
                next = min(next ?? due, due)
            }
        }
        // Many servers, or a very short time, do not make a table each.
        return next.map { max($0, lastGrowth + .milliseconds(ProxyLimits.slowStartStep)) }
    }

    /// Gives servers that have come up again the share that is theirs by now.
    func growShares(now: Instant) {
        guard now >= lastGrowth + .milliseconds(ProxyLimits.slowStartStep) else { return }
        var changed = false
        for index in listeners.indices {
            for at in listeners[index].servers.indices {
                guard let (elapsed, time) = listeners[index].servers[at].growth(now: now) else { continue }
                let sixteenths = SlowStart.sixteenths(elapsed: elapsed, of: time)
                if sixteenths == SlowStart.whole { listeners[index].servers[at].risen = nil }
                if sixteenths == listeners[index].servers[at].sixteenths { continue }
                listeners[index].servers[at].sixteenths = sixteenths
                changed = true
            }
        }
        guard changed else { return }
        lastGrowth = now
        publish()
    }
}
