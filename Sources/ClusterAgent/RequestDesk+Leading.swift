import AdminAPI
import ClusterModel
import Consensus
import NodeCore
import Recovery

extension RequestDesk {
    /// Begins to carry a request out on the leader.
    mutating func begin(
        _ request: inout Pending,
        _ id: Random128,
        core: NodeCore,
        now: Instant,
        into actions: inout [Action]
    ) {
        request.settled = request.attempt
        if takeKnownAnswer(&request, id, core: core, into: &actions) { return }
        if case .edit(_, let expected?) = request.request, expected > core.state.version {
            // Versions only rise: somebody else leads, and this node does not know it yet.
            request.stage = .waitsForLeader(nextTry: now + Self.retryInterval)
            return
        }
        switch changes(for: &request, core: core) {
        case .failure(let failure): respond(&request, id, .failed(failure.failure), &actions)
        case .success(.answer(let response)): respond(&request, id, response, &actions)
        case .success(.changes(let changes)):
            request.mayBeUnderWay = true
            var waiting: Set<Random128> = []
            for change in changes {
                request.attempt += 1
                let number = Self.number(of: request.attempt, id)
                waiting.insert(number)
                actions.append(.change(change, RequestOrigin(id: number, node: self.id, uid: request.uid)))
            }
            request.stage = .proposed(waiting)
        }
    }

    /// Every try has a number of its own, derived from the request's, so that its answer is its own too.
    private static func number(of attempt: UInt64, _ id: Random128) -> Random128 {
        Random128(high: id.high, low: id.low &+ attempt)
    }

    /// A change that an earlier leader took may have been carried out although nobody heard of it: then it is answered,
    /// because made again it would be refused for what it did itself.
    private mutating func takeKnownAnswer(
        _ request: inout Pending,
        _ id: Random128,
        core: NodeCore,
        into actions: inout [Action]
    ) -> Bool {
        let number = Self.number(of: request.attempt + 1, id)
        guard case .edit = request.request, let known = core.state.answered.last(where: { $0.id == number })
        else { return false }
        request.attempt += 1
        switch known.answer {
        case .applied(let version): respond(&request, id, .done(version: version, notes: request.notes), &actions)
        case .conflict(let current): conflict(&request, id, current: current, into: &actions)
        case .refused(let reason): respond(&request, id, .failed(AdminFailure(.refused, reason)), &actions)
        }
        return true
    }

    enum Beginning {
        case changes([Change])
        case answer(AdminResponse)
    }

    struct Refusal: Error {
        var failure: AdminFailure
        init(_ message: String, remedy: String = "") { failure = AdminFailure(.refused, message, remedy: remedy) }
    }

    private func changes(for request: inout Pending, core: NodeCore) -> Result<Beginning, Refusal> {
        let state = core.state
        switch request.request {
        case .edit(let edit, let expected):
            if let expected, expected != state.version {
                let text =
                    "the configuration was changed by somebody else meanwhile (it now has version \(state.version))"
                return .success(
                    .answer(.failed(AdminFailure(.conflict, text, remedy: "look at it and repeat the command")))
                )
            }
            do throws(EditError) {
                var changed = try state.configuration.applying(Self.numbered(edit, core))
                if let refusal = Self.giveKeys(to: &changed) { return .failure(refusal) }
                if let refusal = Self.objection(to: changed, core) { return .failure(refusal) }
                if changed == state.configuration {
                    return .success(.answer(.done(version: state.version, notes: ["nothing to change"])))
                }
                return .success(.changes([.configure(expected: state.version, changed)]))
            } catch {
                return .failure(Refusal("\(error)"))
            }
        case .move(let resource, let to): return move(resource, to: to, core: core)
        case .cleanup(let resource, let node): return cleanup(resource, node: node, state: state)
        case .fence(let name): return fence(name, core: core)
        case .confirmOff(let name): return confirmOff(name, core: core)
        case .stopAll: return .success(.changes([.stopAll]))
        case .rotateKey(let force): return rotateKey(&request, force: force, core: core)
        case .retireKey(let force): return retireKey(force: force, core: core)
        case .status, .configuration, .quorumStatus, .timing, .linkStatus, .keyStatus, .token, .failoverCheck,
            .loadBalancerStatus, .exchanges, .stop, .stopNode, .unblock:
            return .failure(Refusal("this request is answered by the node that got it"))
        }
    }

    private func rotateKey(_ request: inout Pending, force: Bool, core: NodeCore) -> Result<Beginning, Refusal> {
        let keys = core.state.keys ?? ClusterKeys()
        let behind = core.nodesBehind(absentCount: true).joined(separator: ", ")
        if keys.isRotating {
            return .failure(Refusal("generation \(keys.newest) is still being handed out; it waits for \(behind)"))
        }
        if !behind.isEmpty, !force {
            return .failure(
                Refusal(
                    "\(behind) would have to wait for the new secret",
                    remedy: "bring them back, or haven key rotate --force: then they need a token to join again"
                )
            )
        }
        guard let change = keys.nextInstallation(leavesAbsentBehind: force) else {
            return .failure(Refusal("the kernel gives no random numbers"))
        }
        request.notes.append("generation \(keys.newest + 1) seals as soon as every node has it: haven key status")
        return .success(.changes([change]))
    }

    private func retireKey(force: Bool, core: NodeCore) -> Result<Beginning, Refusal> {
        let behind = core.nodesBehind(absentCount: true).joined(separator: ", ")
        if !behind.isEmpty, !force {
            return .failure(
                Refusal(
                    "\(behind) may know no newer secret",
                    remedy: "bring them back, or haven key retire --force: then they need a token to join again"
                )
            )
        }
        return .success(.changes([.retireKeys]))
    }

    func node(_ name: NodeName, _ state: ClusterState) -> Result<NodeID, Refusal> {
        guard let node = state.configuration.node(named: name) else {
            let names = state.configuration.nodes.map(\.name).joined(separator: ", ")
            return .failure(Refusal("there is no node \"\(name)\"; nodes: \(names)"))
        }
        return .success(node.id)
    }

    private func move(_ resource: ResourceName, to: NodeName?, core: NodeCore) -> Result<Beginning, Refusal> {
        let state = core.state
        guard state.configuration.resource(named: resource) != nil else {
            let names = state.configuration.resources.map(\.name).joined(separator: ", ")
            return .failure(Refusal("there is no resource \"\(resource)\"; resources: \(names)"))
        }
        let current = state.assignments[resource]?.node
        guard state.configuration.isManaged(resource, on: current) else {
            return .failure(Refusal("\(resource) is left to the operator: it is unmanaged or in maintenance"))
        }
        let target: NodeID
        if let to {
            switch node(to, state) {
            case .success(let id): target = id
            case .failure(let refusal): return .failure(refusal)
            }
        } else {
            let others = state.configuration.nodes.filter {
                $0.id != current && !$0.standby && $0.role.runsResources && isOnline($0.id, core)
            }
            guard let best = others.min(by: { load($0.id, state) < load($1.id, state) }) else {
                return .failure(Refusal("no other node could take \(resource)"))
            }
            target = best.id
        }
        guard let node = state.configuration.node(target), !node.standby, node.role.runsResources,
            isOnline(target, core)
        else {
            let name = state.configuration.node(target)?.name ?? ""
            return .failure(Refusal("\(name) cannot take \(resource): it is in standby, a witness, or not online"))
        }
        if current == target {
            return .success(.answer(.done(version: state.version, notes: ["\(resource) is there already"])))
        }
        return .success(.changes([.move(resource: resource, to: target)]))
    }

    private func load(_ node: NodeID, _ state: ClusterState) -> Int {
        state.assignments.values.count { $0.node == node }
    }

    private func isOnline(_ node: NodeID, _ core: NodeCore) -> Bool {
        if node == id { return true }
        if case .alive = core.consensus.peer(node)?.state { return true }
        return false
    }

    private func cleanup(
        _ resource: ResourceName?,
        node name: NodeName?,
        state: ClusterState
    ) -> Result<Beginning, Refusal> {
        var target: NodeID?
        if let name {
            switch node(name, state) {
            case .success(let id): target = id
            case .failure(let refusal): return .failure(refusal)
            }
        }
        if let resource, state.configuration.resource(named: resource) == nil {
            return .failure(Refusal("there is no resource \"\(resource)\""))
        }
        let names = resource.map { [$0] } ?? state.failures.keys.sorted()
        let changes = names.filter { state.failures[$0] != nil }.map { Change.cleanup(resource: $0, node: target) }
        if changes.isEmpty {
            return .success(.answer(.done(version: state.version, notes: ["there were no failures"])))
        }
        return .success(.changes(Array(changes.prefix(NodeCore.mostRequests / 2))))
    }

    private func fence(_ name: NodeName, core: NodeCore) -> Result<Beginning, Refusal> {
        let state = core.state
        let target: NodeID
        switch node(name, state) {
        case .success(let id): target = id
        case .failure(let refusal): return .failure(refusal)
        }
        if target == id {
            return .failure(
                Refusal(
                    "\(name) leads the cluster and cannot power itself off",
                    remedy: "put it in standby and stop its agent, or cut its power by hand"
                )
            )
        }
        if state.configuration.fenceDevices(for: name).isEmpty {
            return .failure(Refusal("no fence device can power off \(name)", remedy: "add one: haven stonith create"))
        }
        let incarnation = core.newestIncarnation(of: target)
        guard incarnation > 0 else { return .failure(Refusal("\(name) has never been seen running")) }
        return .success(
            .changes([.fenceOrdered(node: target, incarnation: incarnation, reason: "ordered by an operator")])
        )
    }
}
