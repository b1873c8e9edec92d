public import ClusterModel

/// What the leader's core wants done, in this order.
public enum RecoveryEffect: Hashable, Sendable {
    /// Append to the log. A proposal that is lost is made again after a while.
    case propose(Change)
    /// Send a node its orders.
    case send(OrderSheet, to: NodeID)
    /// Power a node off and verify it by these devices; answered by one `fenceResult`.
    case fence(node: NodeID, incarnation: Incarnation, devices: [FenceDevice])
    /// Grant these nodes no lease from now on; replaces the set before.
    case denyLease(Set<NodeID>)
    /// Give leadership to another node: this one must be fenced itself.
    case stepDown(StepDownReason)
    /// Tell the operator.
    case notice(RecoveryNotice)
}

/// Why a leader should hand over.
public enum StepDownReason: Hashable, Sendable {
    /// The leader's own node must be fenced, which another has to do.
    ///
    /// The stop of this resource failed here, or (nil) an operator or an earlier leader ordered the fence.
    case mustBeFenced(because: ResourceName?)
}

/// Something that an operator should know.
public enum RecoveryNotice: Hashable, Sendable {
    /// `stonith-enabled=false`: what requires fencing is recovered when the lost node's lease is over.
    case fencingDisabled
    /// The node must be fenced and no device can do it.
    case noFenceDevice(NodeID)
    /// The newest attempt to fence the node failed; it is tried again.
    case fenceFailing(NodeID, reason: String)
    /// The node is lost here and heard by another voter: it is not powered off for that until leadership has moved
    /// there or failed to (RULE 4.3-c).
    case fencePostponed(NodeID)
    /// The resource cannot be started, or started elsewhere, for now.
    case blocked(ResourceName, BlockReason)
    /// The move cannot be carried out and was given up.
    case moveAbandoned(ResourceName, to: NodeID)
    /// The fence was called off: the node was back before anything was done to it.
    case fenceCalledOff(NodeID)
}

extension RecoveryNotice {
    /// Whether it should be told when it begins; the short waits of every move are only shown while they last.
    var isRemarkable: Bool {
        if case .fencePostponed = self { return false }
        guard case .blocked(_, let reason) = self else { return true }
        switch reason {
        case .waitsForStop, .waitsForResource, .waitsForProbe: return false
        case .multipleActive, .waitsForFence, .needsFenceDevice, .waitsForLease, .stopFailed, .strays,
            .pausesAfterFailure:
            return true
        }
    }
}

/// Why a resource waits.
public enum BlockReason: Hashable, Sendable {
    /// It may be active on a lost node until that is verified off.
    case waitsForFence(NodeID)
    /// It may be active on a lost node that no device can power off.
    case needsFenceDevice(NodeID)
    /// It may be active on a lost node until that node's lease and grace are over.
    case waitsForLease(NodeID)
    /// It is being stopped there first.
    case waitsForStop(NodeID)
    /// Its stop failed there and whether it runs is not known.
    case stopFailed(NodeID)
    /// The node's agent restarted and has not finished looking for what runs.
    case waitsForProbe(NodeID)
    /// Another resource has to be moved, started or stopped first.
    case waitsForResource(ResourceName)
    /// It runs there without having been ordered to, and is being stopped.
    case strays(NodeID)
    /// It was found running there while another node had it, and `multiple-active` leaves the rest to the operator.
    case multipleActive(NodeID)
    /// A start failed; the next follows after a pause.
    case pausesAfterFailure(NodeID)
}
