public import Bytes
public import ClusterModel

/// Entries of the leader's log, or none when only the commit index is news (Raft §5.3).
public struct Append: Hashable, Sendable {
    /// The leader's term.
    public var term: Term
    /// When it was sent, by the leader's clock.
    public var sentAt: ClockEcho
    /// The entry before the first one here.
    public var previousIndex: LogIndex
    /// The term of that entry.
    public var previousTerm: Term
    /// What the leader knows committed.
    public var commitIndex: LogIndex
    /// At most `ConsensusLimits.appendEntries`, without a gap behind `previousIndex`.
    public var entries: [LogEntry]

    /// Reads the fields; indexes are not on the wire, so a gap cannot be expressed.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        sentAt = try reader.readUInt64()
        previousIndex = try reader.readOrdinal("previousIndex")
        previousTerm = try reader.readOrdinal("previousTerm")
        commitIndex = try reader.readOrdinal("commitIndex")
        let count = Int(try reader.readUInt16())
        guard count <= ConsensusLimits.appendEntries else { throw .invalid("entry count") }
        entries = []
        entries.reserveCapacity(count)
        var newest = previousTerm
        for offset in 0..<count {
            let entry = try LogEntry(parsing: &reader, index: previousIndex + 1 + UInt64(offset))
            guard entry.term >= newest, entry.term <= term else { throw .invalid("entry term") }
            newest = entry.term
            entries.append(entry)
        }
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(sentAt)
        writer.write(previousIndex)
        writer.write(previousTerm)
        writer.write(commitIndex)
        writer.write(UInt16(entries.count))
        for entry in entries { entry.encode(into: &writer) }
    }

    init(
        term: Term,
        sentAt: ClockEcho,
        previous: LogPosition,
        commitIndex: LogIndex,
        entries: [LogEntry]
    ) {
        self.term = term
        self.sentAt = sentAt
        previousIndex = previous.index
        previousTerm = previous.term
        self.commitIndex = commitIndex
        self.entries = entries
    }

    var previous: LogPosition { LogPosition(index: previousIndex, term: previousTerm) }
}

extension LogEntry {
    init(parsing reader: inout ByteReader, index: LogIndex) throws(WireError) {
        let term = try reader.readOrdinal("term")
        switch try reader.readUInt8() {
        case 0: self.init(index: index, term: term, payload: .noop)
        case 1:
            let bytes = try reader.readCounted(limit: ConsensusLimits.commandBytes)
            self.init(index: index, term: term, payload: .command(bytes))
        case 2: self.init(index: index, term: term, payload: .voters(try VoterSet(parsing: &reader)))
        default: throw .invalid("entry kind")
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(term)
        switch payload {
        case .noop: writer.write(UInt8(0))
        case .command(let bytes):
            writer.write(UInt8(1))
            writer.writeCounted(bytes)
        case .voters(let set):
            writer.write(UInt8(2))
            set.encode(into: &writer)
        }
    }
}

/// How far a follower's log agrees with the leader's and is durable.
public struct AppendAnswer: Hashable, Sendable {
    /// The follower's term.
    public var term: Term
    /// `sentAt` of the message that is answered; the answer renews the leader's lease like a heartbeat's.
    public var echo: ClockEcho
    /// Whether the entry before the first one agreed.
    public var agreed: Bool
    /// Agreed: everything up to here is durable and the leader's.
    ///
    /// Not agreed: an entry at which it may.
    public var index: LogIndex
    /// Not agreed: that entry's term.
    ///
    /// Agreed: 0.
    public var hintTerm: Term
    /// Not agreed: the `previousIndex` that was refused, so that a late refusal can be told.
    ///
    /// Agreed: 0.
    public var refused: LogIndex

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        echo = try reader.readUInt64()
        agreed = try reader.readFlag("agreed flag")
        index = try reader.readOrdinal("index")
        hintTerm = try reader.readOrdinal("hintTerm")
        refused = try reader.readOrdinal("refused")
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(echo)
        writer.write(agreed)
        writer.write(index)
        writer.write(hintTerm)
        writer.write(refused)
    }

    static func agreed(term: Term, echo: ClockEcho, through index: LogIndex) -> AppendAnswer {
        AppendAnswer(term: term, echo: echo, agreed: true, index: index, hintTerm: 0, refused: 0)
    }

    static func refused(term: Term, echo: ClockEcho, hint: LogPosition, refused: LogIndex) -> AppendAnswer {
        AppendAnswer(
            term: term,
            echo: echo,
            agreed: false,
            index: hint.index,
            hintTerm: hint.term,
            refused: refused
        )
    }

    private init(
        term: Term,
        echo: ClockEcho,
        agreed: Bool,
        index: LogIndex,
        hintTerm: Term,
        refused: LogIndex
    ) {
        self.term = term
        self.echo = echo
        self.agreed = agreed
        self.index = index
        self.hintTerm = hintTerm
        self.refused = refused
    }
}
