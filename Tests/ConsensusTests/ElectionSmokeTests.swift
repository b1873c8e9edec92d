import ClusterModel
import Consensus
import Testing

@Suite
struct ElectionSmokeTests {
    @Test
    func `Three nodes elect one leader, take leases and commit a command`() throws {
        var nodes = (1...3).map { number in
            ConsensusCore(
                id: NodeID(UInt8(number)),
                voters: [NodeID(1), NodeID(2), NodeID(3)],
                incarnation: 1,
                timing: .lan,
                durable: DurableState(),
                seed: UInt64(number),
                now: .zero
            )
        }
        var now = Instant.zero
        var queue: [(Int, Input)] = []
        var committed: [[LogEntry]] = [[], [], []]
        var proposed = false
        func absorb(_ index: Int, _ ready: Ready) throws {
            committed[index] += ready.committed
            for out in ready.sendNow {
                queue.append((Int(out.to.rawValue) - 1, .message(from: nodes[index].id, out.message)))
            }
            if let batch = ready.persist {
                let receipt = batch.write { _ in }
                queue.append((index, .persisted(receipt)))
            }
        }
        for index in nodes.indices { try absorb(index, nodes[index].receive(.leaseEligible(true), now: now)) }
        for step in 0..<2000 {
            now = now + .milliseconds(1)
            for index in nodes.indices {
                if let deadline = nodes[index].nextDeadline, deadline <= now {
                    try absorb(index, nodes[index].receive(.tick, now: now))
                }
            }
            if step == 1500, let leader = nodes.firstIndex(where: { $0.role == .leader }) {
                try absorb(leader, nodes[leader].receive(.propose([7], token: 1), now: now))
                proposed = true
            }
            let batch = queue
            queue = []
            for (index, input) in batch { try absorb(index, nodes[index].receive(input, now: now)) }
        }
        #expect(proposed)
        #expect(nodes.filter { $0.role == .leader }.count == 1)
        for index in nodes.indices {
            let payloads = committed[index].map(\.payload).filter { if case .voters = $0 { false } else { true } }
            #expect(payloads == [.noop, .command([7])])
            #expect(try #require(nodes[index].leaseEnd) > now)
        }
    }
}
