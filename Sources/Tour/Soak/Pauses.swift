internal import CLinux
internal import ClusterModel
internal import Foundation
internal import Lab
internal import LinuxIO
internal import Synchronization

/// Stops the agent of every host at random (SIGSTOP), each for itself, for less than the time after which a node is lost.
final class Pauses: Sendable {
    /// What was done to one agent.
    struct Tally: Sendable {
        var count = 0
        var longest = Duration.zero
    }

    private struct State {
        var isOver = false
        var tallies: [String: Tally] = [:]
        var running = 0
    }

    private let state = Mutex(State())
    private let longest: Duration

    /// The share of that time that a pause takes at most, in percent.
    static let mostPercent: Int64 = 80
    /// The time from one pause of an agent to its next, chosen between these.
    private static let gaps: ClosedRange<Int64> = 1500...4000
    private static let shortest: Int64 = 20
    /// Above every agent, so that a pause does not last longer than it should.
    private static let priority: Int32 = 30

    /// Begins; the seed decides who is stopped when and for how long.
    init(hosts: [LabHost], lostAfter: Duration, seed: UInt64) {
        longest = lostAfter * Int(Self.mostPercent) / 100
        for (index, host) in hosts.enumerated() {
            guard let agent = HostProcesses(on: host).agent else { continue }
            state.withLock { $0.running += 1 }
            let random = SeededGenerator(seed: seed &+ UInt64(index))
            Thread { [self] in run(host.name, agent, random) }.start()
        }
    }

    private func run(_ host: String, _ agent: Int32, _ seeded: SeededGenerator) {
        var random = seeded
        // Refused in some containers; then pauses may last longer, and the tally says so.
        try? Scheduling.becomeRealtime(priority: Self.priority)
        while !state.withLock({ $0.isOver }) {
            let gap = Int64.random(in: Self.gaps, using: &random)
            Pause.until(Clock.monotonic() + .milliseconds(gap))
            let length = Int64.random(in: Self.shortest...max(Self.shortest, longest.milliseconds), using: &random)
            let began = Clock.monotonic()
            guard haven_kill(agent, SIGSTOP) == 0 else { break }
            Pause.until(began + .milliseconds(length))
            _ = haven_kill(agent, SIGCONT)
            let lasted = Clock.monotonic() - began
            state.withLock { state in
                var tally = state.tallies[host] ?? Tally()
                tally.count += 1
                tally.longest = max(tally.longest, lasted)
                state.tallies[host] = tally
            }
        }
        state.withLock { $0.running -= 1 }
    }

    /// Ends it, waits until nobody is stopped any more, and returns what was done.
    func end() -> [String: Tally] {
        state.withLock { $0.isOver = true }
        while state.withLock({ $0.running > 0 }) { Pause.until(Clock.monotonic() + .milliseconds(20)) }
        return state.withLock { $0.tallies }
    }
}
