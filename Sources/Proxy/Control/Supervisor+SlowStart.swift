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
    /// Notes whose shares grow; the control thread asks for them at every turn, and almost always there are none.
    func noteGrowing() {
        growing = places.filter { self[$0.value].risen != nil }.map(\.key)
    }

    /// When some server's share grows next; nil when all have theirs.
    func nextGrowth(now: Instant) -> Instant? {
        var next: Instant?
        for place in growing.lazy.compactMap({ self.places[$0] }) {
            guard let (elapsed, time) = self[place].growth(now: now) else { continue }
            let isDue = SlowStart.sixteenths(elapsed: elapsed, of: time) != self[place].sixteenths
            let wait = isDue ? 0 : SlowStart.next(elapsed: elapsed, of: time)?.count ?? 0
            let due = now + .milliseconds(wait)
            next = min(next ?? due, due)
        }
        // Many servers, or a very short time, do not make a table each.
        return next.map { max($0, lastGrowth + .milliseconds(ProxyLimits.slowStartStep)) }
    }

    /// Gives servers that have come up again the share that is theirs by now.
    func growShares(now: Instant) {
        guard !growing.isEmpty, now >= lastGrowth + .milliseconds(ProxyLimits.slowStartStep) else { return }
        var changed = false
        for place in growing.lazy.compactMap({ self.places[$0] }) {
            guard let (elapsed, time) = self[place].growth(now: now) else { continue }
            let sixteenths = SlowStart.sixteenths(elapsed: elapsed, of: time)
            if sixteenths == SlowStart.whole { self[place].risen = nil }
            if sixteenths == self[place].sixteenths { continue }
            self[place].sixteenths = sixteenths
            changed = true
        }
        guard changed else { return }
        noteGrowing()
        lastGrowth = now
        publish()
    }
}
