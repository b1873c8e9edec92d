import AdminAPI
import Bytes
import ClusterModel
import Consensus
import NodeCore
import Testing

@testable import ClusterAgent

/// What an agent of one version says to another, and when its cluster's level rises.
@Suite
struct LevelTests {
    private static let list = ContactList(nodes: [Node(id: NodeID(1), name: "ctl1", addresses: [])], appliedIndex: 7)

    @Test
    func `Who is part of the cluster is told at level 2 and cannot be said or heard at level 1`() throws {
        let envelope = PeerEnvelope.core(.contacts(Self.list))
        let bytes = try envelope.encoded(level: 2)
        #expect(Hex.encode(bytes.prefix(2)) == "06" + "7b")
        guard case .core(.contacts(Self.list)) = try PeerEnvelope(parsing: bytes, level: 2) else {
            Issue.record("another message came out")
            return
        }
        #expect(throws: WireError.self) { try envelope.encoded(level: 1) }
        #expect(throws: WireError.self) { try PeerEnvelope(parsing: bytes, level: 1) }
    }

    @Test
    func `A heartbeat has the bytes of the session's level`() throws {
        let numbers = (1...8).map { "000000000000000\($0)" }
        let nobody = String(repeating: "0", count: 64)
        let start =
            "01" + "0c" + numbers[0] + numbers[1] + "03" + numbers[3] + numbers[1] + numbers[3] + numbers[6]
            + numbers[7]
            + nobody + nobody + "00" + "00" + "0258" + "0bb8"
        let oldest = start + numbers[0] + "00000002" + numbers[2] + "04" + "01" + numbers[4] + numbers[5]
        let newest = oldest + "01" + numbers[6]
        for (hex, level) in [(oldest, 1), (newest, 2)] as [(String, UInt8)] {
            let bytes = try #require(Hex.decode(hex))
            let envelope = try PeerEnvelope(parsing: bytes, level: level)
            #expect(Hex.encode(try envelope.encoded(level: level)) == hex)
            // As the other version would have to read it.
            #expect(throws: WireError.self) { try PeerEnvelope(parsing: bytes, level: 3 - level) }
        }
        let both = try PeerEnvelope(parsing: try #require(Hex.decode(newest)), level: 2)
        #expect(Hex.encode(try both.encoded(level: 1)) == oldest)
    }

    @Test(arguments: [1, 2] as [UInt8])
    func `Random bytes never trap the reader of either level`(level: UInt8) {
        var generator = SeededGenerator(seed: UInt64(level))
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...300, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Half of them get to a heartbeat.
            if count > 2, Bool.random(using: &generator) { bytes.replaceSubrange(0..<2, with: [1, 12]) }
            _ = try? PeerEnvelope(parsing: bytes, level: level)
        }
    }

    @Test
    func `A node alone raises its cluster to what it speaks, and no further`() throws {
        #expect(try #require(LoneLeader()).core.state.protocolLevel == ProtocolLevel.newest)
        #expect(try #require(LoneLeader(level: 1)).core.state.protocolLevel == 1)
    }

    /// What it was told of may be of another history, and never come true in its own.
    @Test
    func `A leader raises the level although it was told of nodes and entries that its log does not have`() throws {
        var leader = try #require(LoneLeader(elects: false))
        let stranger = Node(id: NodeID(2), name: "ctl2", addresses: [])
        let list = ContactList(nodes: LoneLeader.configuration.nodes + [stranger], appliedIndex: 1000)
        leader.feed(.message(.contacts(list), from: NodeID(2)))
        leader.elect()
        #expect(leader.core.isLeading)
        #expect(!leader.core.knowsItsPeers)
        #expect(leader.core.state.protocolLevel == ProtocolLevel.newest)
    }

    @Test
    func `An older version does not start on what a newer one wrote, and says why`() throws {
        let disk = try #require(LoneLeader()).disk
        let words =
            "this node speaks level 1 of the protocol at most, while the cluster is at level 2: install the version of "
            + "Haven that the other nodes have"
        #expect(try #require(LoneLeader(level: 1, disk: disk)).stops == [words])
        #expect(try #require(LoneLeader(disk: disk)).stops.isEmpty)
        // The same from a snapshot.
        let state = ClusterState(configuration: LoneLeader.configuration, level: 2)
        var compacted = DurableState()
        compacted.term = 1
        compacted.snapshot = Snapshot(
            lastIndex: 9,
            lastTerm: 1,
            data: WireCodec.codec.encodeState(state)
        )
        #expect(try #require(LoneLeader(level: 1, disk: compacted)).stops == [words])
    }

    @Test
    func `A node that follows nobody ends when it is told that its cluster is above it`() throws {
        var leader = try #require(LoneLeader(level: 1))
        leader.feed(.clusterLevel(2))
        #expect(leader.stops.isEmpty, "it leads, and believes its own log")
        var other = try #require(LoneLeader(elects: false, level: 1))
        other.feed(.clusterLevel(1))
        #expect(other.stops.isEmpty)
        other.feed(.clusterLevel(2))
        #expect(other.stops.count == 1)
    }

    @Test
    func `The status names the cluster's level and that of nodes`() throws {
        let leader = try #require(LoneLeader())
        let view = StatusBuilder(core: leader.core, now: leader.now).status(digest: 0)
        #expect(view.level == 2)
        #expect(view.nodes.map(\.level) == [2])
        var builder = StatusBuilder(core: leader.core, now: leader.now)
        builder.foreignLevels = ["n3 speaks level 1"]
        #expect(builder.status(digest: 0).warnings.contains("n3 speaks level 1"))
    }
}
