public import ClusterModel
public import Consensus
import Recovery

/// Powering off the other half of the voters, so that this half decides.
///
/// Nothing can be committed before it, so it is not ordered in the log as other fences are. Every device is asked first
/// and nobody is shot unless each answers: a half that can shoot only some of the others would gain nothing by it.
struct QuorumFencing: Sendable {
    enum Phase: Hashable, Sendable {
        case resting
        case checking(UInt64)
        /// Whose attempts have not ended.
        case shooting([Voter])
    }

    /// Whom consensus wants proven dead now.
    var wanted: [Voter] = []
    var phase = Phase.resting
    var failures = 0
    /// When to try again after a failure.
    var retryAt: Instant?
    /// Why the newest attempt failed.
    var reason: String?
    var checks: UInt64 = 0

    /// When the next attempt begins by itself; nil while one is under way, however one part of it has ended.
    var nextAttempt: Instant? { phase == .resting ? retryAt : nil }

    mutating func fail(_ reason: String, now: Instant) {
        if case .checking = phase { phase = .resting }
        self.reason = reason
        let pause = min(RecoveryLimits.longestFencePause, RecoveryLimits.fencePause * (1 << min(failures, 8)))
        failures += 1
        retryAt = now + pause
    }
}

extension NodeCore {
    /// Why half of the voters cannot prove the other half dead; nil while it need not or has not tried.
    public var quorumFencingFailure: String? { quorumFencing.wanted.isEmpty ? nil : quorumFencing.reason }

    /// Whom this node has to see dead before its half of the voters decides; empty when there is no such need.
    public var wantedDead: [Voter] { quorumFencing.wanted }

    /// What the applied configuration says about voting.
    var quorumSettings: QuorumSettings {
        let voters = NodeSet(state.configuration.voters.map(\.id))
        // Two nodes without fencing act alone or not at all: half of them must not keep leases.
        let isPairWithoutFencing = state.configuration.isPairWithoutFencing
        var settings = QuorumSettings(
            members: NodeSet(state.configuration.nodes.map(\.id)).union(contacts),
            eligible: voters,
            // A device that is not to be used proves nothing.
            fenceable: state.configuration.properties.stonithEnabled ? fenceable : NodeSet(),
            holdsByHalf: !isPairWithoutFencing
        )
        settings.keepsVoters = state.stopped != nil
        settings.actsAlone = isPairWithoutFencing && state.stopped == nil
        settings.arbiters = arbitersToAsk
        return settings
    }

    /// The newest start of a node's agent that this node knows of, be it running or dead; 0 for none.
    public func newestIncarnation(of node: NodeID) -> Incarnation {
        let heard = max(consensus.peer(node)?.incarnation ?? 0, state.incarnations[node] ?? 0)
        let recorded = max(state.departures[node] ?? 0, state.fences[node]?.incarnation ?? 0)
        let dead = consensus.deathFacts.list.lazy.filter { $0.node == node }.map(\.incarnation).max() ?? 0
        let listed = consensus.activeVoterSets.lazy.compactMap { $0.incarnation(of: node) }.max() ?? 0
        return max(max(heard, recorded), max(dead, listed))
    }

    /// The addresses that this node has to ask, again and again, because it may have to go on alone one day; empty where
    /// no arbiter has a say, or this node has no vote.
    public var arbitersToAsk: [IPAddress] {
        let configuration = state.configuration
        guard configuration.isPairWithoutFencing, configuration.node(id)?.role.votes == true else { return [] }
        return configuration.properties.arbiter ?? []
    }

    /// Whether this node is no part of the cluster any more by the newest configuration in its log, be that committed or
    /// not: going on alone would commit it.
    public mutating func isBeingRemoved() -> Bool {
        var newest = state.configuration
        var index = appliedIndex + 1
        while index <= consensus.lastIndex {
            newest = consensus.entryInLog(at: index).flatMap(codec.configuration) ?? newest
            index += 1
        }
        return newest.node(id) == nil
    }

    /// Whether a node is heard, this one included.
    public func isHeard(_ node: NodeID) -> Bool {
        if node == id { return true }
        switch consensus.state(of: node) {
        case .alive, .suspect: return true
        case .lost, .left, nil: return false
        }
    }

    /// Tells consensus whose power somebody else who is heard could switch off at the last real check (RULE 4.2-d).
    ///
    /// A node's word about its own device does not count: it will not be the one that has to use it.
    mutating func followFenceDevices(now: Instant, into effects: inout [NodeEffect]) {
        var nodes = NodeSet()
        for (node, report) in reports where isHeard(node) {
            for target in report.devices?.fenceable ?? [] where target != node { nodes.insert(target) }
        }
        guard nodes != fenceable else { return }
        fenceable = nodes
        step(.settings(quorumSettings), now: now, into: &effects)
    }

    /// Tells consensus what the log proves.
    mutating func tellProofs(now: Instant, into effects: inout [NodeEffect]) {
        var news: [Voter] = []
        for (node, record) in state.fences where record.outcome == .verified {
            if !consensus.isProvenOff(node, record.incarnation) {
                news.append(Voter(node: node, incarnation: record.incarnation))
            }
        }
        for voter in news.sorted(by: { $0.node < $1.node }) {
            prove(voter.node, voter.incarnation, now: now, into: &effects)
        }
    }

    private mutating func prove(
        _ node: NodeID,
        _ incarnation: Incarnation,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        if !consensus.isProvenOff(node, incarnation) { step(.provenDead(node, incarnation), now: now, into: &effects) }
    }

    /// A quorum answers this leader, or none does any more.
    ///
    /// What was known of leases when it went is void when it is back, so recovery hears of every node anew first.
    mutating func quorumChanged(_ holds: Bool, now: Instant, into effects: inout [NodeEffect]) {
        effects.append(.event(.quorum(holds)))
        effects.append(.changed)
        guard recovery != nil else { return }
        if holds {
            tellEverybodysLiveness(now: now, into: &effects)
            guard consensus.decides(at: now) else { return }
        }
        isRecoveryQuorate = holds
        recover(.quorate(holds), now: now, into: &effects)
    }

    /// Takes the next step towards proof of death of whoever is wanted dead.
    mutating func fenceForQuorum(now: Instant, into effects: inout [NodeEffect]) {
        guard !quorumFencing.wanted.isEmpty else {
            // What was shot at is shot; only what has not begun is given up.
            if case .checking = quorumFencing.phase { quorumFencing.phase = .resting }
            quorumFencing.reason = nil
            quorumFencing.failures = 0
            quorumFencing.retryAt = nil
            return
        }
        guard case .resting = quorumFencing.phase else { return }
        if let retryAt = quorumFencing.retryAt, now < retryAt { return }
        quorumFencing.retryAt = nil
        guard let checks = fenceChecks(now: now, into: &effects) else { return }
        quorumFencing.checks += 1
        quorumFencing.phase = .checking(quorumFencing.checks)
        effects.append(.checkFenceDevices(number: quorumFencing.checks, checks))
    }

    private mutating func fenceChecks(now: Instant, into effects: inout [NodeEffect]) -> [FenceCheck]? {
        let configuration = state.configuration
        guard configuration.properties.stonithEnabled else {
            failQuorumFencing("stonith-enabled=false", now: now, into: &effects)
            return nil
        }
        let checks = quorumFencing.wanted.map { FenceCheck(node: $0.node, devices: devices(for: $0.node)) }
        if let bare = checks.first(where: \.devices.isEmpty) {
            let name = configuration.node(bare.node)?.name ?? bare.node.description
            failQuorumFencing("no fence device for \(name)", now: now, into: &effects)
            return nil
        }
        return checks
    }

    private func devices(for node: NodeID) -> [FenceDevice] {
        state.configuration.node(node).map { state.configuration.fenceDevices(for: $0.name) } ?? []
    }

    private mutating func failQuorumFencing(_ reason: String, now: Instant, into effects: inout [NodeEffect]) {
        let isNews = quorumFencing.reason != reason
        quorumFencing.fail(reason, now: now)
        if isNews { effects.append(.event(.quorumFencingFails(reason))) }
    }

    mutating func fenceDevicesChecked(
        _ number: UInt64,
        failure: String?,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        guard case .checking(number) = quorumFencing.phase else { return }
        if let failure { return failQuorumFencing(failure, now: now, into: &effects) }
        let targets = quorumFencing.wanted
        quorumFencing.phase = .shooting(targets)
        for target in targets where recovery?.isFencing(target.node, target.incarnation) != true {
            let devices = devices(for: target.node)
            effects.append(
                .fenceForQuorum(node: target.node, incarnation: target.incarnation, devices: devices)
            )
        }
    }

    mutating func fenceEnded(
        _ node: NodeID,
        _ incarnation: Incarnation,
        failure: String?,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        if case .shooting(let targets) = quorumFencing.phase, targets.contains(where: { $0.node == node }) {
            let left = targets.filter { $0.node != node }
            quorumFencing.phase = left.isEmpty ? .resting : .shooting(left)
            if let failure { failQuorumFencing(failure, now: now, into: &effects) }
        }
        if failure == nil { prove(node, incarnation, now: now, into: &effects) }
        fenceForQuorum(now: now, into: &effects)
    }
}
