import ClusterModel
import LinuxIO
import ProxyControl

/// Runs all health checks, each at its own interval; the control thread drives it.
struct CheckRunner: ~Copyable {
    /// What to check, from the plan.
    struct Target: Hashable {
        var endpoint: Endpoint
        var http: HTTPCheck?
        var inter: Milliseconds
        var connectTimeout: Milliseconds
        var answerTimeout: Milliseconds
    }

    /// A finished check.
    struct Result {
        var server: Int32
        var report: CheckReport
    }

    private struct Schedule {
        var target: Target
        var next: Instant
    }

    private var schedules: [Int32: Schedule] = [:]
    private var probes: [Int32: CheckProbe.Box] = [:]

    /// Sets what is checked from now on; checks of unchanged targets go on undisturbed.
    mutating func replace(_ targets: [Int32: Target], now: Instant) {
        for server in schedules.keys where targets[server] == nil {
            schedules[server] = nil
            probes[server] = nil
        }
        // New checks start spread over the interval, so that they do not all fall on one moment for ever.
        let fresh = targets.filter { schedules[$0.key]?.target != $0.value }.sorted { $0.key < $1.key }
        for (position, (server, target)) in fresh.enumerated() {
            probes[server] = nil
            let spread = min(target.inter.duration, .seconds(2)) * position / max(1, fresh.count)
            schedules[server] = Schedule(target: target, next: now + spread)
        }
    }

    /// When something is due.
    var nextDeadline: Instant? {
        var earliest: Instant?
        for (server, schedule) in schedules {
            let at = probes[server]?.deadline ?? schedule.next
            earliest = min(earliest ?? at, at)
        }
        return earliest
    }

    /// Starts and ends what is due.
    mutating func tick(now: Instant, poller: inout Poller, into results: inout [Result]) {
        for (server, schedule) in schedules {
            if let probe = probes[server] {
                guard probe.deadline <= now else { continue }
                finish(server, probe.expired(now: now), into: &results)
            } else if schedule.next <= now {
                start(server, schedule.target, now: now, poller: &poller, into: &results)
            }
        }
    }

    private mutating func start(
        _ server: Int32,
        _ target: Target,
        now: Instant,
        poller: inout Poller,
        into results: inout [Result]
    ) {
        schedules[server]?.next = now + target.inter.duration
        do throws(SystemError) {
            let probe = try CheckProbe.Box(
                CheckProbe(
                    to: target.endpoint,
                    http: target.http,
                    connectTimeout: min(target.connectTimeout, target.inter).duration,
                    answerTimeout: target.answerTimeout.duration,
                    now: now
                )
            )
            try poller.add(probe.descriptor, [.read, .write, .edge], token: UInt64(CheckRunner.token(server)))
            probes[server] = probe
        } catch {
            results.append(Result(server: server, report: CheckReport(result: .refused, milliseconds: 0)))
        }
    }

    /// Goes on with a probe after an event.
    mutating func serve(token: UInt64, now: Instant, into results: inout [Result]) {
        let server = Int32(truncatingIfNeeded: token & 0xFFFF_FFFF)
        guard let report = probes[server]?.proceed(now: now) else { return }
        finish(server, report, into: &results)
    }

    private mutating func finish(_ server: Int32, _ report: CheckReport, into results: inout [Result]) {
        probes[server] = nil
        results.append(Result(server: server, report: report))
    }

    /// The poller's token of a server's probe.
    static func token(_ server: Int32) -> UInt64 { 1 << 32 | UInt64(server) }

    /// Whether a token is of a probe.
    static func owns(token: UInt64) -> Bool { token >> 32 == 1 }
}

extension CheckProbe {
    /// Lets probes stand in a dictionary.
    final class Box {
        private var probe: CheckProbe

        init(_ probe: consuming CheckProbe) { self.probe = probe }

        var descriptor: Int32 { probe.descriptor }
        var deadline: Instant { probe.deadline }
        func proceed(now: Instant) -> CheckReport? { probe.proceed(now: now) }
        func expired(now: Instant) -> CheckReport { probe.expired(now: now) }
    }
}
