import Balancing
import ClusterModel
import LinuxIO
import ProxyControl

/// Runs all health checks, each at its own interval; the control thread drives it.
struct CheckRunner: ~Copyable {
    /// Which check: a server has one of its own, and one of its agent.
    struct Key: Hashable, Comparable {
        var server: Int32
        var isAgent = false

        /// The poller's token of its probe.
        var token: UInt64 { 1 << 32 | (isAgent ? 1 << 31 : 0) | UInt64(server) }

        init(server: Int32, isAgent: Bool = false) {
            self.server = server
            self.isAgent = isAgent
        }

        init(token: UInt64) {
            server = Int32(truncatingIfNeeded: token & 0x7FFF_FFFF)
            isAgent = token & 1 << 31 != 0
        }

        static func < (left: Key, right: Key) -> Bool {
            (left.server, left.isAgent ? 1 : 0) < (right.server, right.isAgent ? 1 : 0)
        }
    }

    /// What to check, from the plan.
    struct Target: Hashable {
        var endpoint: Endpoint
        var recipe: CheckRecipe
        /// How its connection is encrypted; nil for not at all.
        var encryption: CheckEncryption?
        var inter: Milliseconds
        var fastInter: Milliseconds
        var downInter: Milliseconds
        var connectTimeout: Milliseconds
        var answerTimeout: Milliseconds

        func interval(_ pace: HealthMachine.Pace) -> Duration {
            switch pace {
            case .steady: inter.duration
            case .inTransition: fastInter.duration
            case .down: downInter.duration
            }
        }
    }

    /// A finished check.
    struct Result {
        var key: Key
        var report: CheckReport
        var agent: AgentReply?
    }

    private struct Schedule {
        var target: Target
        var next: Instant
        /// When the last one began.
        var begun: Instant
        var pace = HealthMachine.Pace.steady
    }

    private var schedules: [Key: Schedule] = [:]
    private var probes: [Key: CheckProbe.Box] = [:]

    /// Sets what is checked from now on; checks of unchanged targets go on undisturbed.
    mutating func replace(_ targets: [Key: Target], now: Instant) {
        for key in schedules.keys where targets[key] == nil {
            schedules[key] = nil
            probes[key] = nil
        }
        // New checks start spread over the interval, so that they do not all fall on one moment for ever.
        let fresh = targets.filter { schedules[$0.key]?.target != $0.value }.sorted { $0.key < $1.key }
        for (position, (key, target)) in fresh.enumerated() {
            probes[key] = nil
            let longest = Duration.milliseconds(ProxyLimits.checkSpread)
            let spread = min(target.inter.duration, longest) * position / max(1, fresh.count)
            var schedule = Schedule(target: target, next: now + spread, begun: now + spread)
            schedule.pace = schedules[key]?.pace ?? .steady
            schedules[key] = schedule
        }
    }

    /// Sets how soon a server's next check comes, after a result.
    mutating func settle(_ key: Key, _ pace: HealthMachine.Pace, now: Instant) {
        guard var schedule = schedules[key] else { return }
        schedule.pace = pace
        schedule.next = max(now, schedule.begun + schedule.target.interval(pace))
        schedules[key] = schedule
    }

    /// Lets a server's next check come within its `fastinter`.
    mutating func hasten(_ key: Key, now: Instant) {
        guard let schedule = schedules[key] else { return }
        schedules[key]?.next = min(schedule.next, now + schedule.target.fastInter.duration)
    }

    /// When something is due.
    var nextDeadline: Instant? {
        var earliest: Instant?
        for (key, schedule) in schedules {
            let at = probes[key]?.deadline ?? schedule.next
            earliest = min(earliest ?? at, at)
        }
        return earliest
    }

    /// Starts and ends what is due.
    mutating func tick(now: Instant, poller: inout Poller, into results: inout [Result]) {
        for (key, schedule) in schedules {
            if let probe = probes[key] {
                guard probe.deadline <= now else { continue }
                finish(key, probe.expired(now: now), nil, into: &results)
            } else if schedule.next <= now {
                start(key, schedule.target, now: now, poller: &poller, into: &results)
            }
        }
    }

    private mutating func start(
        _ key: Key,
        _ target: Target,
        now: Instant,
        poller: inout Poller,
        into results: inout [Result]
    ) {
        let interval = target.interval(schedules[key]?.pace ?? .steady)
        schedules[key]?.begun = now
        schedules[key]?.next = now + interval
        do throws(SystemError) {
            let probe = try CheckProbe.Box(
                CheckProbe(
                    to: target.endpoint,
                    recipe: target.recipe,
                    encryption: target.encryption,
                    connectTimeout: min(target.connectTimeout, target.inter).duration,
                    answerTimeout: target.answerTimeout.duration,
                    now: now
                )
            )
            try poller.add(probe.descriptor, [.read, .write, .edge], token: key.token)
            probes[key] = probe
        } catch {
            results.append(Result(key: key, report: CheckReport(result: .refused, milliseconds: 0)))
        }
    }

    /// Goes on with a probe after an event.
    mutating func serve(token: UInt64, now: Instant, poller: inout Poller, into results: inout [Result]) {
        let key = Key(token: token)
        guard let probe = probes[key] else { return }
        switch probe.proceed(now: now) {
        case .goesOn: break
        case .ended(let report, let agent): finish(key, report, agent, into: &results)
        case .reconnected:
            do throws(SystemError) {
                try poller.add(probe.descriptor, [.read, .write, .edge], token: key.token)
            } catch { finish(key, CheckReport(result: .refused, milliseconds: 0), nil, into: &results) }
        }
    }

    private mutating func finish(
        _ key: Key,
        _ report: CheckReport,
        _ agent: AgentReply?,
        into results: inout [Result]
    ) {
        probes[key] = nil
        results.append(Result(key: key, report: report, agent: agent))
    }

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
        func proceed(now: Instant) -> Progress { probe.proceed(now: now) }
        func expired(now: Instant) -> CheckReport { probe.expired(now: now) }
    }
}
