import ClusterModel
import Cryptography
import SealedTransport
import Testing
import TransportCore

@Suite
struct HostileTests {
    /// Two agents in session and one datagram between them that was not delivered.
    private static func withheld() throws -> (fleet: Fleet, two: Agent, datagram: Travelling) {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.settle()
        fleet.fate = { _ in [] }
        fleet.send(Array("vote".utf8), .consensus, from: one, to: 2)
        two.events.removeAll()
        fleet.recorded.removeAll { $0.bytes[1] != DatagramKind.message.rawValue }
        return (fleet, two, try #require(fleet.recorded.last))
    }

    @Test
    func `A datagram with any one bit changed is dropped, answered by nothing, and spoils nothing`() throws {
        let (fleet, two, datagram) = try Self.withheld()
        let sent = fleet.recorded.count
        for bit in 0..<(datagram.bytes.count * 8) {
            var forged = datagram
            forged.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            fleet.deliver(forged)
        }
        #expect(two.events.isEmpty)
        #expect(fleet.recorded.count == sent)
        #expect(two.transport.counters[.forged] > 200)
        fleet.deliver(datagram)
        #expect(two.messages == [Array("vote".utf8)])
    }

    @Test
    func `A datagram cut anywhere, or with more behind it, is dropped`() throws {
        let (fleet, two, datagram) = try Self.withheld()
        for count in 0..<datagram.bytes.count {
            var short = datagram
            short.bytes = Array(datagram.bytes[..<count])
            fleet.deliver(short)
        }
        for extra in [1, 16, 1200, 60_000] {
            var long = datagram
            long.bytes += [UInt8](repeating: 0, count: extra)
            fleet.deliver(long)
        }
        #expect(two.events.isEmpty)
        fleet.deliver(datagram)
        #expect(two.messages.count == 1)
    }

    @Test
    func `From another address than the sender's it is dropped`() throws {
        let (fleet, two, datagram) = try Self.withheld()
        var moved = datagram
        moved.from = try Fleet.endpoint(9)
        fleet.deliver(moved)
        #expect(two.events.isEmpty)
        #expect(two.transport.counters[.unknownAddress] == 1)
    }

    @Test
    func `An agent of another cluster, or without the secret, is not heard and hears nothing`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2, 3])
        let foreign = try fleet.start(2, peers: [1], cluster: ClusterID(high: 1, low: 1))
        let ignorant = try fleet.start(3, peers: [1], secret: SecretBytes([UInt8](repeating: 1, count: 32)))
        fleet.run(for: .seconds(2))
        #expect(one.events.isEmpty)
        #expect(foreign.events.isEmpty)
        #expect(ignorant.events.isEmpty)
        #expect(one.transport.counters[.foreignCluster] > 0)
        #expect(one.transport.counters[.forged] > 0)
        #expect(!fleet.recorded.contains { $0.bytes[1] != DatagramKind.hello.rawValue })
    }

    @Test
    func `A datagram that claims to come from this node itself is counted and not answered`() throws {
        let (fleet, two, datagram) = try Self.withheld()
        let sent = fleet.recorded.count
        var echo = datagram
        echo.bytes[2] = 2
        fleet.deliver(echo)
        #expect(two.transport.counters[.ownIdentity] == 1)
        #expect(two.events.isEmpty)
        #expect(fleet.recorded.count == sent)
    }

    @Test
    func `Random and mutated datagrams never trap, never answer, and the next good one counts`() throws {
        let (fleet, two, datagram) = try Self.withheld()
        var generator = SeededGenerator(seed: 99)
        let sent = fleet.recorded.count
        for round in 0..<4000 {
            var forged = datagram
            if round.isMultiple(of: 2) {
                let count = Int.random(in: 0...400, using: &generator)
                forged.bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            } else {
                for _ in 0..<Int.random(in: 1...8, using: &generator) {
                    let index = Int.random(in: 0..<forged.bytes.count, using: &generator)
                    forged.bytes[index] = UInt8.random(in: 0...255, using: &generator)
                }
                if forged.bytes == datagram.bytes { continue }
            }
            fleet.deliver(forged)
        }
        #expect(two.events.isEmpty)
        #expect(fleet.recorded.count == sent)
        fleet.deliver(datagram)
        #expect(two.messages.count == 1)
    }

    @Test
    func `Forged greetings are bounded in what they cost, and a session under way does not suffer`() throws {
        let (fleet, two, datagram) = try Self.withheld()
        let hello = DatagramKind.hello.rawValue
        for index in 0..<10_000 {
            var forged = datagram
            forged.bytes[1] = hello
            // Another session each time; for an unknown session of the receiver.
            for byte in 0..<4 { forged.bytes[24 + byte] = UInt8(truncatingIfNeeded: index >> (8 * byte)) }
            for byte in 48..<64 { forged.bytes[byte] = 0 }
            fleet.deliver(forged)
        }
        #expect(two.transport.counters[.forged] <= UInt64(TransportLimit.derivationsPerSecond))
        #expect(two.transport.counters[.rateLimited] > 9000)
        fleet.deliver(datagram)
        #expect(two.messages.count == 1)
    }
}
