import AdminAPI
import ClusterModel
import Recovery

/// What other threads tell the core thread.
enum AgentNews: Sendable {
    /// An operator's request.
    case request(AdminRequest, uid: UInt32, reply: @Sendable (AdminResponse) -> Void)
    /// It is written down that all nodes stop; now each is asked to, and then the operator is answered.
    case stopRecorded(uid: UInt32, reply: @Sendable (AdminResponse) -> Void)
    /// News of the disk.
    case disk(DiskWorker.Outcome)
    /// An operation of the runner ended.
    case operationEnded(ResourceName, operation: UInt64, OperationOutcome)
    /// A supervised process ended by itself.
    case processExited(ResourceName, startedBy: UInt64, reason: String)
    /// An attempt to power a node off ended; nil means verified off.
    case fenceEnded(NodeID, Incarnation, failure: String?)
    /// The devices that a check asked for were asked; nil: each node's answered.
    case fenceDevicesChecked(number: UInt64, failure: String?)
    /// A device that `FenceWatch` wanted asked was asked; nil: it answered.
    case deviceChecked(number: UInt64, failure: String?)
    /// Another machine answers for an address of this node, as a sentence.
    case rival(String)
    /// Something of a worker for the log.
    case remark(String)
}
