import ClusterModel
import Consensus
import Testing

/// A few cores with messages handed over by the test: nothing moves unless it says so.
struct Bench {
    var cores: [ConsensusCore] = []
    var now = Instant(nanoseconds: 1_000_000_000)
    /// Messages sent and not delivered yet.
    var wire: [(from: NodeID, out: Outgoing)] = []
    var events: [NodeID: [Event]] = [:]
    var committed: [NodeID: [LogEntry]] = [:]
    /// Writes that the test has not let finish.
    var disk: [NodeID: [PersistBatch]] = [:]
    /// What each disk holds.
    var durable: [NodeID: DurableState] = [:]
    /// Whether writes finish at once.
    var isDiskInstant = true
    /// Who is heard and hears nobody.
    var deaf: Set<Int> = []

    init(_ count: Int, durable: [DurableState] = []) {
        let voters = (1...count).map { NodeID(UInt8($0)) }
        for (position, voter) in voters.enumerated() {
            self.durable[voter] = position < durable.count ? durable[position] : DurableState()
            cores.append(
                ConsensusCore(
                    id: voter,
                    voters: voters,
                    incarnation: 1,
                    timing: .lan,
                    durable: position < durable.count ? durable[position] : DurableState(),
                    seed: UInt64(position + 1),
                    now: now
                )
            )
        }
    }

    subscript(_ number: Int) -> ConsensusCore {
        get { cores[number - 1] }
        set { cores[number - 1] = newValue }
    }

    mutating func give(_ number: Int, _ input: Input) {
        let id = NodeID(UInt8(number))
        let ready = cores[number - 1].receive(input, now: now)
        for out in ready.sendNow { wire.append((id, out)) }
        events[id, default: []] += ready.events
        committed[id, default: []] += ready.committed
        if let batch = ready.persist { disk[id, default: []].append(batch) }
        if isDiskInstant { finishWrites(number) }
    }

    /// Lets everything that a node has to write reach its disk.
    mutating func finishWrites(_ number: Int) {
        let id = NodeID(UInt8(number))
        let batches = disk.removeValue(forKey: id) ?? []
        for batch in batches { durable[id]?.apply(batch.writes) }
        guard let receipt = PersistBatch.writeTogether(batches, { _ in }) else { return }
        give(number, .persisted(receipt))
    }

    /// Starts a node's agent anew from its disk.
    mutating func restart(_ number: Int, incarnation: Incarnation, faults: PlantedFaults = PlantedFaults()) {
        let id = NodeID(UInt8(number))
        disk[id] = nil
        events[id] = []
        cores[number - 1] = ConsensusCore(
            id: id,
            voters: cores.map(\.id),
            incarnation: incarnation,
            timing: .lan,
            durable: durable[id] ?? DurableState(),
            seed: UInt64(number) + incarnation,
            now: now
        )
        cores[number - 1].faults = faults
        give(number, .leaseEligible(true))
        for other in cores.indices where other != number - 1 {
            give(other + 1, .peerSession(id, incarnation))
        }
    }

    /// Delivers what was sent, and what follows from it, between nodes that reach each other.
    mutating func deliver(among nodes: Set<Int>) {
        for _ in 0..<200 where !wire.isEmpty {
            let batch = wire
            wire = []
            for (from, out) in batch
            where nodes.contains(Int(from.rawValue)) && nodes.contains(Int(out.to.rawValue))
                && !deaf.contains(Int(out.to.rawValue))
            {
                give(Int(out.to.rawValue), .message(from: from, out.message))
            }
        }
    }

    /// Lets time pass in steps of 10 ms for some nodes; the others stand still.
    mutating func run(_ time: Duration, among nodes: Set<Int>) {
        let end = now + time
        while now < end {
            now = now + .milliseconds(10)
            for number in nodes.sorted() where self[number].nextDeadline.map({ $0 <= now }) == true {
                give(number, .tick)
            }
            deliver(among: nodes)
        }
    }

    /// What one node has sent to another and nobody has delivered.
    func sent(by from: Int, to: Int) -> [Message] {
        wire.filter { $0.from.rawValue == UInt8(from) && $0.out.to.rawValue == UInt8(to) }.map(\.out.message)
    }

    func leaders() -> [Int] { cores.indices.filter { cores[$0].role == .leader }.map { $0 + 1 } }

    /// Nodes that all hold leases and are listed as they run, and which of them leads.
    static func led(_ count: Int, faults: PlantedFaults = PlantedFaults()) throws -> (Bench, leader: Int) {
        var bench = Bench(count)
        for number in 1...count {
            bench[number].faults = faults
            bench.give(number, .leaseEligible(true))
        }
        bench.run(.seconds(3), among: Set(1...count))
        let leader = try #require(bench.leaders().first)
        #expect(
            bench[leader].activeVoterSets == [
                VoterSet((1...count).map { Voter(node: NodeID(UInt8($0)), incarnation: 1) })
            ]
        )
        return (bench, leader)
    }
}
