import AdminAPI
import Arbiter
import ClusterModel
import Consensus
import NodeCore
import Recovery

/// Builds what operators see from what one node's core knows.
struct StatusBuilder {
    let core: NodeCore
    let now: Instant
    /// The wall clock, in milliseconds since 1970.
    var wallClock: Int64 = 0
    /// What the load balancer of this node says.
    var listeners: [ListenerView] = []
    /// What this node knows of arbiters.
    var arbiterWatch: ArbiterWatch?
    /// Notices of the agent itself: missing real-time priority, a proxy that does not run.
    var ownWarnings: [String] = []
    /// Peers that have no level of the protocol in common with this node, in words.
    var foreignLevels: [String] = []

    private var state: ClusterState { core.state }
    private var configuration: ClusterConfiguration { state.configuration }

    func name(of id: NodeID) -> NodeName { configuration.node(id)?.name ?? id.description }

    func status(digest: UInt64) -> StatusView {
        var view = StatusView(
            cluster: configuration.name,
            answeredBy: name(of: core.id),
            version: state.version,
            digest: Self.hex(digest),
            quorum: quorum()
        )
        view.nodes = configuration.nodes.map { node($0, ownDigest: digest) }
        view.level = state.protocolLevel
        view.stonithEnabled = configuration.properties.stonithEnabled
        view.resources = configuration.resources.map(resource)
        view.fenceDevices = configuration.fenceDevices.map(fenceDevice)
        view.fences = state.fences.sorted { $0.value.orderedAt > $1.value.orderedAt }
            .map { FenceView(node: name(of: $0.key), record: $0.value) }
        view.listeners = listeners
        view.warnings = warnings(quorum: view.quorum) + warnings(of: view.fenceDevices)
        return view
    }

    func quorum() -> QuorumView {
        let consensus = core.consensus
        let set = consensus.listedVoters.set
        let voters = set.voters.map { voter in
            let peer = consensus.peer(voter.node)
            let isSelf = voter.node == core.id
            var view = QuorumView.Voter(
                node: name(of: voter.node),
                incarnation: voter.incarnation,
                isHeard: isSelf || (peer.map(isHeard) ?? false),
                lastHeard: isSelf ? nil : peer?.lastHeard.map { Milliseconds((now - $0).milliseconds) }
            )
            view.isProvenDead = consensus.deathFacts.cover(voter)
            let isForgetful = isSelf ? consensus.isNewcomer : peer?.counts == false
            view.isForgetful = view.isHeard && isForgetful ? true : nil
            return view
        }
        var view = QuorumView(
            isQuorate: isQuorate,
            leader: consensus.leader.map(name),
            term: consensus.term,
            needed: set.count / 2 + 1,
            voters: voters
        )
        view.isHalf = consensus.isHolder || (consensus.role == .leader && !consensus.isQuorate)
        view.isListed = set.incarnation(of: core.id) == core.incarnation
        view.wantedDead = core.wantedDead.map { name(of: $0.node) }
        view.fencingFailure = core.quorumFencingFailure
        view.meetsOtherHistory = core.consensus.isMeeting ? true : nil
        view.arbiter = ArbiterView(configuration, arbiterWatch, isVetoed: consensus.isVetoed, now: now)
        return view
    }

    /// A leader is part of a quorum while one answers it; another node while it holds a lease of a leader.
    var isQuorate: Bool {
        if core.consensus.role == .leader { return core.consensus.decides(at: now) }
        return core.consensus.leader != nil && (core.consensus.leaseEnd.map { $0 > now } ?? false)
    }

    private func isHeard(_ peer: PeerView) -> Bool {
        if case .alive = peer.state { return true }
        return false
    }

    private func node(_ node: Node, ownDigest: UInt64) -> NodeView {
        let peer = core.consensus.peer(node.id)
        var view = NodeView(
            name: node.name,
            id: node.id,
            addresses: node.addresses,
            state: nodeState(node.id, peer),
            standby: node.standby
        )
        view.maintenance = node.maintenance
        view.role = node.role
        if node.id == core.id {
            view.incarnation = core.incarnation
            view.level = core.level
            view.digest = Self.hex(ownDigest)
            view.leaseRemaining = core.consensus.leaseEnd.map { Milliseconds(max(0, ($0 - now).milliseconds)) }
        } else if let peer, peer.incarnation > 0 {
            view.incarnation = peer.incarnation
            view.level = core.level(with: node.id)
            view.digest = Self.hex(peer.configurationDigest)
            view.lastHeard = peer.lastHeard.map { Milliseconds((now - $0).milliseconds) }
        }
        return view
    }

    private func nodeState(_ id: NodeID, _ peer: PeerView?) -> NodeView.State {
        if id == core.id { return .online }
        if let fence = state.fences[id], fence.incarnation >= (peer?.incarnation ?? 0) {
            return fence.outcome == .verified ? .fenced : .fencing
        }
        guard let peer else { return .pending }
        switch peer.state {
        case .alive: return .online
        case .suspect: return peer.lastHeard == nil ? .pending : .suspect
        case .lost: return peer.lastHeard == nil ? .pending : .lost
        case .left: return .pending
        }
    }

    private func resource(_ resource: Resource) -> ResourceView {
        let (runState, node, reason) = runState(of: resource)
        var view = ResourceView(
            name: resource.name,
            agentName: resource.kind.agentName,
            enabled: resource.enabled,
            state: runState,
            node: node.map(name),
            reason: reason
        )
        view.managed = configuration.isManaged(resource.name, on: state.assignments[resource.name]?.node)
        if case .virtualIP(let address) = resource.kind { view.address = address.address }
        view.failures = (state.failures[resource.name] ?? [:]).sorted { $0.key < $1.key }
            .map { .init(node: name(of: $0.key), count: $0.value.count, reason: $0.value.reason) }
        return view
    }

    private func runState(of resource: Resource) -> (ResourceView.State, NodeID?, String) {
        let blocked = core.notices.compactMap { notice in
            if case .blocked(resource.name, let reason) = notice { return NoticeText.describe(reason, name: name) }
            return nil
        }.first
        let assigned = state.assignments[resource.name]
        if let assigned, let report = report(resource.name, assigned) {
            switch report.state {
            case .running: return (.started, assigned.node, blocked ?? "")
            case .starting: return (.starting, assigned.node, report.reason)
            case .stopping: return (.stopping, assigned.node, blocked ?? "")
            case .failed, .unknown: return (.failed, assigned.node, report.reason)
            case .stopped: break
            }
        }
        if let blocked { return (.blocked, assigned?.node, blocked) }
        if let assigned {
            if isSilent(assigned.node) {
                return (.blocked, assigned.node, "may still run on \(name(of: assigned.node))")
            }
            return (.starting, assigned.node, "")
        }
        let failures = state.failures[resource.name] ?? [:]
        if resource.enabled, let newest = failures.max(by: { $0.value.recordedAt < $1.value.recordedAt }) {
            return (.failed, newest.key, newest.value.reason)
        }
        return (.stopped, nil, "")
    }

    /// Whether a node is lost: what it said last is not known to be so any more.
    private func isSilent(_ node: NodeID) -> Bool {
        if case .lost? = core.consensus.peer(node)?.state { return true }
        return false
    }

    /// What the node says of the resource under its present assignment; a follower knows only its own report.
    private func report(_ resource: ResourceName, _ assigned: Assignment) -> ResourceReport? {
        if isSilent(assigned.node) { return nil }
        return core.reports[assigned.node]?.resources.first { $0.resource == resource && $0.epoch == assigned.epoch }
    }

    /// A device with what those who ask it say; of nodes that are not heard nothing newer will come.
    private func fenceDevice(_ device: FenceDevice) -> FenceDeviceView {
        let reports = core.reports.values.filter { core.isHeard($0.node) }.sorted { $0.node < $1.node }
        let checks = reports.flatMap { report in
            (report.devices?.checks ?? []).filter { $0.device == device.name }.map { check in
                let ago = Milliseconds(max(0, wallClock - check.checkedAt))
                return FenceDeviceView.Check(node: name(of: report.node), ago: ago, failure: check.failure)
            }
        }
        let failure = checks.first { $0.failure != nil }?.failure
        var view = FenceDeviceView(
            name: device.name,
            agent: device.agent,
            targets: device.targets.keys.sorted(),
            failure: failure
        )
        view.checks = checks
        return view
    }

    private func warnings(of devices: [FenceDeviceView]) -> [String] {
        devices.compactMap { device in
            let failed = (device.checks ?? []).filter { $0.failure != nil }
            guard let reason = failed.first?.failure else { return nil }
            let nodes = failed.map(\.node).joined(separator: ", ")
            return "fence device \(device.name) failed its last check from \(nodes): \(reason)"
        }
    }

    /// Told while the cluster waits for somebody to be upgraded; for nodes of the same version that takes a moment at most.
    private var levelWarnings: [String] {
        let level = state.protocolLevel
        return core.levelHolds.map { hold in
            switch hold {
            case .speaks(let node, let spoken):
                "\(name(of: node)) speaks level \(spoken): the cluster stays at level \(level) until it is upgraded"
            case .isSilent(let node):
                "\(name(of: node)) is not heard: the cluster stays at level \(level) until it is back or removed"
            }
        }
    }

    private func warnings(quorum: QuorumView) -> [String] {
        var warnings = ownWarnings + foreignLevels + levelWarnings
        if !quorum.isQuorate {
            let missing = quorum.voters.filter { !$0.isHeard }.map(\.node)
            warnings.append(
                "no quorum: \(quorum.needed) of \(quorum.voters.count) nodes are needed"
                    + (missing.isEmpty ? "" : "; not heard: \(missing.joined(separator: ", "))")
            )
        }
        if quorum.meetsOtherHistory == true {
            warnings.append(
                "a node with another history of this cluster is heard: nothing is started or changed until one has given way"
            )
        }
        if configuration.properties.maintenanceMode {
            warnings.append(
                "maintenance-mode=true: the cluster starts, stops, monitors and powers off nothing "
                    + "(haven property set maintenance-mode=false ends it)"
            )
        }
        if !configuration.properties.stonithEnabled {
            warnings.append(
                "stonith-enabled=false: lost nodes are not powered off, so resources other than virtual IPs may run twice"
            )
        } else {
            let uncovered = configuration.nodes.map(\.name).filter { configuration.fenceDevices(for: $0).isEmpty }
            let needing = configuration.resources.filter { ($0.requires ?? $0.kind.defaultRequirement) == .fencing }
            if !uncovered.isEmpty, !needing.isEmpty {
                warnings.append(
                    "no fence device for \(uncovered.joined(separator: ", ")): what requires fencing stays down if it is lost"
                )
            }
        }
        warnings += core.notices.compactMap { NoticeText.warning($0, name: name) }
        let digests = Set(
            configuration.nodes.compactMap { core.consensus.peer($0.id) }.filter(isHeard).map(\.configurationDigest)
        )
        if digests.count > 1 { warnings.append("nodes have different configurations for the moment: see the digests") }
        return warnings
    }

    static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
