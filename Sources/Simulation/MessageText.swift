import Bytes
import ClusterModel
import Consensus

/// Messages as lines of a transcript and as bytes.
enum MessageText {
    static func describe(_ message: Message) -> String {
        switch message {
        case .heartbeat(let body):
            "heartbeat t\(body.term) leader \(body.leader?.rawValue ?? 0) log \(body.lastIndex)/t\(body.lastTerm)"
                + " commit \(body.commitIndex) hears \(body.hears) reaches \(body.reaches)"
                + (body.branch == .origin && body.meets == .max ? "" : " branch \(body.branch.id) meets \(body.meets)")
                + (body.isNewcomer ? " newcomer" : "")
        case .heartbeatAck(let body): "ack t\(body.term) echo \(body.echo) r \(body.remaining / 1_000_000) ms"
        case .preVote(let body): "pre-vote? t\(body.term) log \(body.lastIndex)/t\(body.lastTerm)"
        case .preVoteAnswer(let body): "pre-vote t\(body.asked): \(body.granted)"
        case .vote(let body): "vote? t\(body.term) log \(body.lastIndex)/t\(body.lastTerm)"
        case .voteAnswer(let body):
            "vote t\(body.term): \(body.granted), q \(body.sinceAcknowledgement / 1_000_000) ms"
        case .append(let body):
            "append t\(body.term) behind \(body.previousIndex)/t\(body.previousTerm) \(body.entries.count) entries"
                + " commit \(body.commitIndex)"
        case .appendAnswer(let body): "append t\(body.term): \(body.agreed) \(body.index)"
        case .snapshotPart(let body): "snapshot \(body.lastIndex) part \(body.offset)+\(body.data.count)/\(body.total)"
        case .snapshotAnswer(let body): "snapshot \(body.lastIndex) has \(body.received)"
        case .standNow(let body): "stand now t\(body.term)"
        }
    }

    /// The message as its bytes say it; nil when they do not.
    static func throughBytes(_ message: Message) -> Message? {
        var writer = ByteWriter(capacity: 256)
        message.encode(into: &writer)
        var reader = unsafe ByteReader(writer.bytes.span.bytes)
        do {
            let copy = try Message(parsing: &reader)
            try reader.finish()
            return copy == message ? copy : nil
        } catch {
            return nil
        }
    }
}
