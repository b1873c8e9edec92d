import Bytes
import CLinux
import ClusterModel
import LinuxIO
import Testing

@testable import Netlink

@Suite(.enabled(if: PrivateNetwork.available, "needs root for a network namespace of its own"), .timeLimit(.minutes(1)))
struct LeaseTests {
    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    /// Puts two virtual IPs on the link and hands them to the body, with someone who asks for them.
    private static func run(_ body: @escaping @Sendable (Set<IPAddress>, Neighbour) throws -> Void) async throws {
        try await PrivateNetwork.run {
            try PrivateNetwork.ip("addr add 10.9.0.100/24 dev one")
            try PrivateNetwork.ip("-6 addr add 2001:db8:9::100/64 dev one nodad")
            try body([try address("10.9.0.100"), try address("2001:db8:9::100")], try Neighbour())
        }
    }

    /// All or nothing: whatever is asked about any of the addresses is answered alike.
    private static func expect(
        _ answered: Bool,
        _ addresses: Set<IPAddress>,
        by neighbour: Neighbour,
        _ when: String
    ) throws {
        for address in addresses {
            for question in [Neighbour.Question.whoHas, .ping] {
                #expect(try neighbour.isAnswered(question, address) == answered, "\(question) \(address) \(when)")
            }
        }
    }

    private static func inTenSeconds() -> Instant { Clock.monotonic() + .seconds(10) }

    private static func nft(_ words: String) throws -> String {
        let pipe = try #require(popen("nft \(words) 2>&1", "r"))
        defer { pclose(pipe) }
        var text = ""
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, 1024, pipe) != nil {
            text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return text
    }

    @Test
    func `A node answers for a virtual IP only while it holds it`() async throws {
        try await Self.run { addresses, neighbour in
            try Self.expect(true, addresses, by: neighbour, "before there are tables")
            var lease = try AddressLease()
            try Self.expect(true, addresses, by: neighbour, "while nothing is virtual")
            #expect(try !lease.write(virtual: addresses, held: [], until: nil))
            try Self.expect(false, addresses, by: neighbour, "while not held")
            #expect(try lease.write(virtual: addresses, held: addresses, until: Self.inTenSeconds()))
            try Self.expect(true, addresses, by: neighbour, "while held")
            let one = try #require(addresses.first { $0.family == .v4 })
            #expect(try lease.write(virtual: addresses, held: [one], until: Self.inTenSeconds()))
            try Self.expect(true, [one], by: neighbour, "while the other is not held")
            try Self.expect(false, addresses.subtracting([one]), by: neighbour, "while the other is held")
            #expect(try !lease.write(virtual: addresses, held: addresses, until: Clock.monotonic()))
            try Self.expect(false, addresses, by: neighbour, "when the lease is over")
            try lease.remove()
            try Self.expect(true, addresses, by: neighbour, "after the tables went")
        }
    }

    @Test
    func `The kernel itself ends it in time`() async throws {
        try await Self.run { addresses, neighbour in
            var lease = try AddressLease()
            for address in addresses {
                for question in [Neighbour.Question.whoHas, .ping] {
                    let end = Clock.monotonic() + .milliseconds(150)
                    #expect(try lease.write(virtual: addresses, held: addresses, until: end))
                    #expect(try neighbour.isAnswered(question, address))
                    var asked = Clock.monotonic()
                    while try neighbour.isAnswered(question, address) {
                        try #require(asked < end, "answered \(question) after the end")
                        asked = Clock.monotonic()
                    }
                }
            }
        }
    }

    @Test
    func `A renewal that is held up between the clock and the kernel is refused`() async throws {
        try await Self.run { addresses, neighbour in
            var lease = try AddressLease()
            let late = { Pause.until(Clock.monotonic() + AddressLease.margin * 2) }
            let all = addresses
            let held = try lease.write(virtual: all, isWhole: true, held: all, until: Self.inTenSeconds(), gap: late)
            #expect(!held)
            #expect(lease.lateRenewals == 3)
            try Self.expect(false, addresses, by: neighbour, "after renewals that were too late")
            var isFirst = true
            let again = try lease.write(virtual: all, isWhole: true, held: all, until: Self.inTenSeconds()) {
                if isFirst { late() }
                isFirst = false
            }
            #expect(again)
            #expect(lease.lateRenewals == 4)
            try Self.expect(true, addresses, by: neighbour, "after one that was tried again")
        }
    }

    @Test
    func `Tables that somebody removed are made again by the next renewal`() async throws {
        try await Self.run { addresses, neighbour in
            var lease = try AddressLease()
            let one = try #require(addresses.first { $0.family == .v4 })
            for held in [Set([one]), []] {
                let before = lease.rebuilds
                #expect(try Self.nft("flush ruleset").isEmpty)
                let end = held.isEmpty ? nil : Self.inTenSeconds()
                #expect(try lease.write(virtual: addresses, held: held, until: end) == !held.isEmpty)
                #expect(lease.rebuilds == before + 1)
                try Self.expect(!held.isEmpty, [one], by: neighbour, "after a rebuild")
                try Self.expect(false, addresses.subtracting([one]), by: neighbour, "after a rebuild")
            }
        }
    }

    @Test
    func `Who starts after another process holds nothing, and forgets nothing before it knows more`() async throws {
        try await Self.run { addresses, neighbour in
            do {
                var former = try AddressLease()
                #expect(try former.write(virtual: addresses, held: addresses, until: Self.inTenSeconds()))
            }
            try Self.expect(true, addresses, by: neighbour, "while the lease lasts, with nobody there")
            var lease = try AddressLease()
            try Self.expect(false, addresses, by: neighbour, "after a new start")
            #expect(try !lease.write(virtual: [], isWhole: false, held: [], until: nil))
            try Self.expect(false, addresses, by: neighbour, "while the new process does not know all")
            #expect(try !lease.write(virtual: [], held: [], until: nil))
            try Self.expect(true, addresses, by: neighbour, "when they are virtual no more")
            try AddressLease.removeTables()
            #expect(try !Self.nft("list ruleset").contains("haven"))
        }
    }

    @Test
    func `The tables of others, of older versions and our own`() async throws {
        try await Self.run { addresses, neighbour in
            #expect(try Self.nft("'table ip mine { set s { type ipv4_addr; elements = { 10.9.0.100 }; }; }'").isEmpty)
            #expect(try Self.nft("'table inet haven { set held4 { type ipv6_addr; }; }'").isEmpty)
            let others = try Self.nft("list table ip mine")
            var lease = try AddressLease()
            #expect(try lease.write(virtual: addresses, held: addresses, until: Self.inTenSeconds()))
            try Self.expect(true, addresses, by: neighbour, "while held")
            #expect(try Self.nft("list table ip mine") == others)
            let own = try Self.nft("-y list table inet haven") + Self.nft("-y list table arp haven")
            for rule in [
                "ip daddr @virtual4 ip daddr != @held4 fib daddr type local drop",
                "ip6 daddr @virtual6 ip6 daddr != @held6 fib daddr type local drop",
                "ip saddr @virtual4 ip saddr != @held4 fib saddr type local drop",
                "ip6 saddr @virtual6 ip6 saddr != @held6 fib saddr type local drop",
                "type filter hook prerouting priority -310; policy accept;",
                "type filter hook postrouting priority 310; policy accept;",
                "type filter hook output priority 310; policy accept;",
            ] { #expect(own.contains(rule), "\(rule) in \(own)") }
            #expect(own.contains("nd-neighbor-advert"))
            try lease.remove()
            #expect(try Self.nft("list table ip mine") == others)
        }
    }

    @Test
    func `A node without the address reaches its holder, and one that holds it reaches itself`() async throws {
        try await Self.run { addresses, neighbour in
            var lease = try AddressLease()
            let far = try Self.address("10.9.0.200")
            let near = try #require(addresses.first { $0.family == .v4 })
            let virtual = addresses.union([far])
            try lease.write(virtual: virtual, held: [near], until: Self.inTenSeconds())
            let sender = try DatagramSocket(binding: try Self.address("0.0.0.0"), port: 0)
            let receiver = try DatagramSocket(binding: near, port: 5999)
            func send(to address: IPAddress) {
                let target = SocketAddress(address, port: 5999)
                _ = sender.send([1, 2, 3], to: target)
            }
            send(to: far)
            #expect(neighbour.hearsQuestion(for: far))
            send(to: near)
            #expect(haven_wait_readable(receiver.descriptor.number, 5000) == 1)
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(haven_recv(receiver.descriptor.number, &buffer, 16, 0) == 3)
            try lease.write(virtual: virtual, held: [], until: nil)
            send(to: near)
            // What a process sends to its own node has arrived when the call returns, or never does.
            #expect(haven_wait_readable(receiver.descriptor.number, 0) == 0)
        }
    }

    @Test(.enabled(if: UInt16(1).littleEndian == 1, "the golden bytes are little-endian"))
    func `A batch that adds an address for 460 ms`() {
        var batch = FilterBatch()
        LeaseTables.add([[10, 0, 0, 100]], to: LeaseTables.held4, milliseconds: 460, in: &batch)
        let golden = [
            "14000000" + "1000" + "0100" + "07000000" + "00000000" + "0000000a",  // NFNL_MSG_BATCH_BEGIN
            "4c000000" + "0c0a" + "0504" + "08000000" + "00000000" + "01000000",  // NFT_MSG_NEWSETELEM, inet
            "0a000100" + "686176656e00" + "0000",  // …_LIST_TABLE "haven"
            "0a000200" + "68656c643400" + "0000",  // …_LIST_SET "held4"
            "20000380",  // NFTA_SET_ELEM_LIST_ELEMENTS
            "1c000180",  // NFTA_LIST_ELEM
            "0c000180" + "08000100" + "0a000064",  // NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE
            "0c000400" + "00000000000001cc",  // NFTA_SET_ELEM_TIMEOUT
            "14000000" + "1100" + "0100" + "09000000" + "00000000" + "0000000a",  // NFNL_MSG_BATCH_END
        ].joined()
        #expect(Hex.encode(batch.encoded(first: 7)) == golden)
    }
}
