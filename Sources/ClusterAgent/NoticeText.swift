import ClusterModel
import Recovery

/// Sentences for what the leader's core reports.
enum NoticeText {
    /// Why a resource waits.
    static func describe(_ reason: BlockReason, name: (NodeID) -> NodeName) -> String {
        switch reason {
        case .waitsForFence(let node): "may still run on \(name(node)), which is being powered off"
        case .needsFenceDevice(let node):
            "may still run on \(name(node)), and no fence device can power it off (haven stonith create)"
        case .waitsForLease(let node): "waits until the lease of \(name(node)) is over"
        case .waitsForStop(let node): "is being stopped on \(name(node)) first"
        case .stopFailed(let node): "its stop failed on \(name(node)) and whether it runs there is not known"
        case .waitsForProbe(let node): "\(name(node)) has restarted and is looking for what runs there"
        case .waitsForResource(let other): "waits for \(other)"
        case .strays(let node): "runs on \(name(node)) without having been ordered to, and is being stopped"
        case .multipleActive(let node):
            "was found active on \(name(node)) as well; end all but one, then: haven resource cleanup"
        case .pausesAfterFailure(let node): "failed on \(name(node)) and is tried again after a pause"
        }
    }

    /// What belongs among the warnings of a status; nil for what is shown elsewhere.
    static func warning(_ notice: RecoveryNotice, name: (NodeID) -> NodeName) -> String? {
        switch notice {
        case .fencingDisabled, .blocked, .fenceCalledOff: nil
        case .fencePostponed(let node):
            "\(name(node)) is lost to the leader, and another node hears it: leadership may move there before it is powered off"
        case .noFenceDevice(let node): "\(name(node)) must be powered off and no fence device can do it"
        case .fenceFailing(let node, let reason): "powering off \(name(node)) fails and is tried again: \(reason)"
        case .moveAbandoned(let resource, let node): "the move of \(resource) to \(name(node)) was given up"
        }
    }
}
