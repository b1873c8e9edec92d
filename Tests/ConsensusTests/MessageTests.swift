import Bytes
import ClusterModel
import Testing

@testable import Consensus

@Suite
struct MessageTests {
    /// Every kind of message with the bytes that it has on the wire, a space between fields.
    static let golden: [(Message, String)] = {
        var heartbeat = Heartbeat(
            incarnation: 1,
            term: 2,
            leader: NodeID(3),
            last: LogPosition(index: 4, term: 2),
            commitIndex: 4,
            configurationDigest: 0xABCD,
            sentAt: 0x0102_0304_0506_0708
        )
        heartbeat.hears = NodeSet([NodeID(1), NodeID(3)])
        heartbeat.reaches = NodeSet([NodeID(1)])
        heartbeat.holdsLease = true
        heartbeat.wantsLease = true
        heartbeat.isHolder = true
        _ = heartbeat.deaths.learn(DeathFact(node: NodeID(4), incarnation: 9, proof: .poweredOff))
        _ = heartbeat.deaths.learn(DeathFact(node: NodeID(2), incarnation: 7, proof: .left))
        heartbeat.lostAfter = .milliseconds(600)
        heartbeat.promise = .milliseconds(3000)
        heartbeat.branch = BranchMark(id: 17, generation: 2, base: 3, founder: NodeID(4), founderLed: true)
        heartbeat.changes = 5
        heartbeat.meets = 6
        heartbeat.gaveWay = [7, .max - 1]
        let zeros = String(repeating: "0", count: 48)
        let set = VoterSet([Voter(node: NodeID(2), incarnation: 5), Voter(node: NodeID(1), incarnation: 6)])
        let entries = [
            LogEntry(index: 8, term: 2, payload: .noop),
            LogEntry(index: 9, term: 3, payload: .command([0xDE, 0xAD])),
            LogEntry(index: 10, term: 3, payload: .voters(set)),
        ]
        let last = LogPosition(index: 7, term: 2)
        let part = SnapshotPart(
            term: 3,
            sentAt: 1,
            last: last,
            total: 4,
            offset: 2,
            data: [1, 2],
            voters: ListedVoters(index: 6, set: set)
        )
        return [
            (
                .heartbeat(heartbeat),
                "0c 0000000000000001 0000000000000002 03 0000000000000004 0000000000000002 0000000000000004 "
                    + "000000000000abcd 0102030405060708 000000000000000a\(zeros) 0000000000000002\(zeros) 0b 02 0202 0000000000000007 0401 0000000000000009 0258 0bb8 "
                    + "0000000000000011 00000002 0000000000000003 04 01 0000000000000005 0000000000000006 "
                    + "02 0000000000000007 fffffffffffffffe"
            ),
            (
                .heartbeatAck(HeartbeatAck(term: 2, echo: 9, remaining: 480_000_000)),
                "0d 0000000000000002 0000000000000009 000000001c9c3800 00"
            ),
            (
                .preVote(VoteRequest(term: 3, last: last, isTransfer: false)),
                "03 0000000000000003 0000000000000007 0000000000000002 00"
            ),
            (
                .preVoteAnswer(PreVoteAnswer(term: 2, asked: 3, granted: false, retryAfter: 5)),
                "04 0000000000000002 0000000000000003 00 0000000000000005"
            ),
            (
                .vote(VoteRequest(term: 3, last: last, isTransfer: true)),
                "05 0000000000000003 0000000000000007 0000000000000002 01"
            ),
            (
                .voteAnswer(VoteAnswer(term: 3, granted: true, sinceAcknowledgement: 600)),
                "06 0000000000000003 01 0000000000000258"
            ),
            (
                .append(Append(term: 3, sentAt: 1, previous: last, commitIndex: 6, entries: entries)),
                "07 0000000000000003 0000000000000001 0000000000000007 0000000000000002 0000000000000006 0003 "
                    + "0000000000000002 00 0000000000000003 01 00000002 dead "
                    + "0000000000000003 02 02 01 0000000000000006 02 0000000000000005"
            ),
            (
                .appendAnswer(.agreed(term: 3, echo: 1, through: 9)),
                "08 0000000000000003 0000000000000001 01 0000000000000009 0000000000000000 0000000000000000"
            ),
            (
                .snapshotPart(part),
                "0e 0000000000000003 0000000000000001 0000000000000007 0000000000000002 00000004 00000002 "
                    + "00000002 0102 0000000000000006 02 01 0000000000000006 02 0000000000000005"
            ),
            (
                .snapshotAnswer(SnapshotAnswer(term: 3, echo: 1, lastIndex: 7, received: 4)),
                "0a 0000000000000003 0000000000000001 0000000000000007 00000004"
            ),
            (.standNow(StandNow(term: 3)), "0b 0000000000000003"),
        ]
    }()

    private func parse(_ bytes: [UInt8], level: UInt8 = ProtocolLevel.newest) throws -> Message {
        var reader = ByteReader(bytes.span.bytes)
        let message = try Message(parsing: &reader, level: level)
        try reader.finish()
        return message
    }

    private func bytes(of message: Message, level: UInt8 = ProtocolLevel.newest) -> [UInt8] {
        var writer = ByteWriter()
        message.encode(into: &writer, level: level)
        return writer.bytes
    }

    @Test
    func `At level 1 a heartbeat ends before the branches that gave way, and each level refuses the other's`() throws {
        guard case .heartbeat(var heartbeat) = Self.golden[0].0 else { return }
        let newest = Self.golden[0].1.filter { $0 != " " }
        let oldest = String(newest.dropLast(2 + 2 * 16))
        #expect(oldest.hasSuffix("0000000000000005" + "0000000000000006"))
        #expect(Hex.encode(bytes(of: .heartbeat(heartbeat), level: 1)) == oldest)
        let bytes = try #require(Hex.decode(oldest))
        heartbeat.gaveWay = []
        #expect(try parse(bytes, level: 1) == .heartbeat(heartbeat))
        #expect(throws: WireError.truncated) { try parse(bytes, level: 2) }
        #expect(throws: WireError.trailing) { try parse(try #require(Hex.decode(newest)), level: 1) }
    }

    @Test(arguments: 1..<11)
    func `All other messages are the same at both levels`(position: Int) throws {
        let message = Self.golden[position].0
        #expect(bytes(of: message, level: 1) == bytes(of: message, level: 2))
        #expect(try parse(bytes(of: message, level: 1), level: 1) == message)
    }

    @Test(arguments: 0..<11)
    func `Each kind of message has exactly these bytes`(position: Int) throws {
        let (message, text) = Self.golden[position]
        let hex = text.filter { $0 != " " }
        #expect(Hex.encode(bytes(of: message)) == hex)
        #expect(try parse(try #require(Hex.decode(hex))) == message)
    }

    @Test(arguments: 0..<11)
    func `Every shorter message is truncated and every longer one has bytes left over`(position: Int) {
        let whole = bytes(of: Self.golden[position].0)
        for count in 0..<whole.count {
            #expect(throws: WireError.truncated) { try parse(Array(whole.prefix(count))) }
        }
        #expect(throws: WireError.trailing) { try parse(whole + [0]) }
    }

    @Test(arguments: 0..<11)
    func `Changed bytes are refused or understood, and what is understood has those bytes`(position: Int) {
        let whole = bytes(of: Self.golden[position].0)
        var random = SeededGenerator(seed: UInt64(position))
        var understood = 0
        for _ in 0..<2000 {
            var changed = whole
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let message = try? parse(changed) else { continue }
            understood += 1
            #expect(bytes(of: message) == changed)
        }
        #expect(understood > 0)
    }

    @Test
    func `Random bytes of any length never trap`() {
        var random = SeededGenerator(seed: 7)
        for round in 0..<20_000 {
            var noise = (0..<Int.random(in: 0..<160, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if !noise.isEmpty { noise[0] = UInt8(round % 16) }
            _ = try? parse(noise)
        }
    }

    @Test
    func `Counts and terms that no sound node sends are refused`() throws {
        var append = Append(
            term: 3,
            sentAt: 1,
            previous: LogPosition(index: 7, term: 2),
            commitIndex: 6,
            entries: [LogEntry(index: 8, term: 4, payload: .noop)]
        )
        #expect(throws: WireError.invalid("entry term")) { try parse(bytes(of: .append(append))) }
        append.entries = [LogEntry(index: 8, term: 1, payload: .noop)]
        #expect(throws: WireError.invalid("entry term")) { try parse(bytes(of: .append(append))) }
        append.entries = (0...UInt64(ConsensusLimits.appendEntries)).map {
            LogEntry(index: 8 + $0, term: 2, payload: .noop)
        }
        #expect(throws: WireError.invalid("entry count")) { try parse(bytes(of: .append(append))) }
        append.entries = [LogEntry(index: 8, term: 2, payload: .noop)]
        append.previousIndex = .max
        #expect(throws: WireError.invalid("previousIndex")) { try parse(bytes(of: .append(append))) }
        let part = SnapshotPart(
            term: 3,
            sentAt: 1,
            last: LogPosition(index: 7, term: 2),
            total: 3,
            offset: 2,
            data: [1, 2],
            voters: ListedVoters(index: 0, set: VoterSet(unlisted: [NodeID(1)]))
        )
        #expect(throws: WireError.invalid("snapshot part")) { try parse(bytes(of: .snapshotPart(part))) }
    }

    /// Eight bytes at every place set to the highest number: terms and indexes that arithmetic would run over.
    @Test(arguments: 0..<11)
    func `The highest numbers neither parse as terms nor make a core trap`(position: Int) {
        let whole = bytes(of: Self.golden[position].0)
        for start in 1..<whole.count {
            var changed = whole
            for offset in start..<min(start + 8, whole.count) { changed[offset] = 0xFF }
            guard let message = try? parse(changed) else { continue }
            var bench = Bench(3)
            bench.give(1, .message(from: NodeID(2), message))
            bench.run(.seconds(1), among: [1])
            #expect(bench[1].term < ConsensusLimits.highestOrdinal)
        }
    }

    @Test
    func `A core takes any message that parses without a trap, from any sender`() {
        var random = SeededGenerator(seed: 11)
        for seed in 0..<60 {
            var bench = Bench(3)
            bench.run(.milliseconds(seed.isMultiple(of: 2) ? 900 : 100), among: [1, 2, 3])
            for _ in 0..<60 {
                var changed = bytes(of: Self.golden[Int.random(in: 0..<11, using: &random)].0)
                for _ in 0..<Int.random(in: 0..<4, using: &random) {
                    changed[Int.random(in: 1..<changed.count, using: &random)] =
                        UInt8.random(in: 0...255, using: &random)
                }
                guard let message = try? parse(changed) else { continue }
                let sender = NodeID(UInt8.random(in: 0...5, using: &random))
                bench.now = bench.now + .milliseconds(Int64.random(in: 0...50, using: &random))
                bench.give(1, .message(from: sender, message))
                bench.give(1, .tick)
            }
        }
    }
}
