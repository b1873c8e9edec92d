import ClusterModel
import Consensus
import LinuxIO
import Logging
import NodeCore

/// A time in which a node's agent did not run, as the operator is told.
struct StallNote {
    let node: NodeID
    let length: Duration
    /// When it was over, by this node's monotonic clock.
    let at: Instant

    /// How many are kept.
    static let most = 16
    /// How long one is told.
    static let lifetime = Duration.seconds(600)
}

extension AgentLoop {
    /// This process itself did not run: the operator is told, and the others are when they may have missed this node.
    func tell(stall: Duration) {
        let timing = core.consensus.timing
        guard stall >= timing.suspectAfter else {
            log.warning("this process did not run for \(stall.milliseconds) ms")
            return
        }
        if stall >= timing.lostAfter {
            let limit = timing.lostAfter.milliseconds
            log.error("this node stalled \(Self.seconds(stall)), beyond the \(limit) ms after which a node is lost")
        } else {
            log.warning("this node stalled \(Self.seconds(stall))")
        }
        keep(StallNote(node: core.id, length: stall, at: Clock.monotonic()))
        for node in core.state.configuration.nodes where node.id != core.id {
            links.send(.stalled(UInt32(clamping: stall.milliseconds)), to: node.id, now: Clock.monotonic())
        }
    }

    /// A peer says that it stalled: whatever it seemed to be meanwhile, its network was not to blame.
    func note(stall: Duration, of peer: NodeID) {
        log.warning("\(name(of: peer)) stalled \(Self.seconds(stall))")
        keep(StallNote(node: peer, length: stall, at: Clock.monotonic()))
    }

    private func keep(_ note: StallNote) {
        if stallNotes.count == StallNote.most { stallNotes.removeFirst() }
        stallNotes.append(note)
    }

    /// For the status.
    var stallWarnings: [String] {
        let now = Clock.monotonic()
        return stallNotes.filter { now - $0.at < StallNote.lifetime }.map { note in
            let ago = (now - note.at).milliseconds / 1000
            let isLong = note.length >= core.consensus.timing.lostAfter
            return "\(name(of: note.node)) stalled \(Self.seconds(note.length)) \(ago) s ago"
                + (isLong ? ": longer than a node may be silent" : "")
        }
    }

    /// As in `1.8 s`.
    private static func seconds(_ duration: Duration) -> String {
        let tenths = (duration.milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
