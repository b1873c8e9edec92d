import AdminAPI
import Arbiter
import ClusterModel
import Consensus
import LinuxIO
import Logging
import NodeCore

extension AgentLoop {
    /// Asks whom the applied configuration names, as often as the profile says; nobody where an arbiter has no say.
    func followArbiters() {
        let addresses = core.arbitersToAsk
        let timing = core.consensus.timing
        let wanted = ArbiterPlan(addresses: addresses, interval: timing.arbiterInterval, window: timing.arbiterWindow)
        guard wanted != arbiterPlan else { return }
        arbiterPlan = wanted
        arbiters.keep(only: addresses, in: &poller)
        askArbiters(.ask(addresses, every: wanted.interval, window: wanted.window))
    }

    /// Gives the watch over arbiters one input and carries out what it decides.
    func askArbiters(_ input: ArbiterWatch.Input) {
        var inputs = [input]
        var random = SystemRandomNumberGenerator()
        // A question that cannot be sent is told at once and asks for nothing more.
        while let next = inputs.popLast() {
            var effects: [ArbiterWatch.Effect] = []
            arbiterWatch.receive(next, now: Clock.monotonic(), using: &random, into: &effects)
            for effect in effects {
                switch effect {
                case .send(let probe):
                    if let reason = arbiters.send(probe, in: &poller) { inputs.append(.unsent(probe.address, reason)) }
                case .answered(let address, let sent): feed(.arbiterAnswered(address, sent: sent))
                case .changed(let standing): record(standing)
                }
            }
        }
    }

    /// Asks again when it is time to, and says when the veto begins and ends.
    func tickArbiters(now: Instant) {
        if let deadline = arbiterWatch.nextDeadline, deadline <= now { askArbiters(.tick) }
        guard isVetoed || arbiterWatch.nextDeadline != nil, core.consensus.isVetoed != isVetoed else { return }
        isVetoed.toggle()
        if isVetoed {
            log.warning("this node does not go on alone: no arbiter answers it, or not for long enough yet")
        } else {
            log.notice("no arbiter forbids this node any more to go on alone")
        }
    }

    private func record(_ standing: ArbiterWatch.Standing) {
        switch standing.condition {
        case .asked: break
        case .answers: log.notice("arbiter \(standing.address) answers")
        case .silent:
            let reason = standing.failure.map { ": \($0)" } ?? ""
            log.warning("arbiter \(standing.address) is silent\(reason)")
        }
    }

    /// A warning while this node could not go on alone if the other one were lost.
    var arbiterWarnings: [String] {
        let standings = arbiterWatch.standings(now: Clock.monotonic())
        guard !standings.isEmpty, standings.allSatisfy({ $0.condition == .silent }) else { return [] }
        let names = standings.map { standing in
            "\(standing.address)" + (standing.failure.map { " (\($0))" } ?? "")
        }
        let verb = names.count == 1 ? "does" : "do"
        return [
            "arbiter \(names.joined(separator: ", ")) \(verb) not answer \(name(of: core.id)), which therefore does not go "
                + "on alone if the other node is lost"
        ]
    }
}

/// Who is asked, and how often.
struct ArbiterPlan: Equatable {
    var addresses: [IPAddress]
    var interval: Duration
    var window: Duration
}

extension ArbiterView {
    /// Describes an arbiter; nil where the property is not set.
    init?(_ configuration: ClusterConfiguration, _ watch: ArbiterWatch?, isVetoed: Bool, now: Instant) {
        guard let addresses = configuration.properties.arbiter else { return nil }
        let standings = watch?.standings(now: now) ?? []
        self.init(
            addresses: addresses.map { address in
                var view = Address(address: address)
                guard let standing = standings.first(where: { $0.address == address }) else { return view }
                switch standing.condition {
                case .asked: view.state = .asked
                case .answers: view.state = .answers
                case .silent: view.state = .silent
                }
                let since = now - (standing.answered ?? standing.since)
                view.since = Milliseconds(since.milliseconds)
                view.hasAnswered = standing.answered != nil
                view.failure = standing.failure
                return view
            },
            idleness: configuration.arbiterIdleness,
            isVetoing: isVetoed
        )
    }
}
