import CLinux
import ClusterModel
import LinuxIO
import Recovery
import Synchronization
import Testing

@testable import ResourceRunner

/// The runner with the kernel holding the lease; what the kernel does with it is looked up by its own tool.
@Suite(.enabled(if: PrivateNetwork.isPossible, "needs root for a network namespace"), .timeLimit(.minutes(1)))
struct KeeperTests {
    private let scratch: Scratch
    private let network: PrivateNetwork
    private let keeper: AddressKeeper
    private let stand: Stand
    private let remarks = Remarks()
    private let vip: Resource
    private let address: IPAddress

    private final class Remarks: Sendable {
        let texts = Mutex<[String]>([])
    }

    init() async throws {
        let scratch = try Scratch()
        self.scratch = scratch
        let network = try await PrivateNetwork()
        self.network = network
        let remarks = remarks
        let keeper = try await network.run {
            try AddressKeeper(realtimePriority: nil) { text in remarks.texts.withLock { $0.append(text) } }
        }
        self.keeper = keeper
        stand = try await network.run { try Stand(scratch, keeper: keeper) }
        address = try #require(IPAddress("10.9.9.100"))
        vip = Resource(
            name: "vip",
            kind: .virtualIP(VirtualIP(address: address, prefixLength: 24, interface: nil))
        )
        keeper.manage([address])
    }

    private func set(_ name: String) async throws -> String {
        let words = ["list", "set", "inet", "haven", name]
        return try await network.output(of: "/usr/sbin/nft", words)
    }

    private func isHeld() async throws -> Bool { try await set("held4").contains("10.9.9.100") }

    private func isHere() async throws -> Bool { try await network.ip("addr show").contains(" 10.9.9.100/") }

    /// Looks until it is so; the suite's time limit ends a test in which it never is.
    private func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { await Task.yield() }
    }

    private static func inTenSeconds() -> Instant { Clock.monotonic() + .seconds(10) }

    @Test
    func `No address starts on a node without a lease`() async throws {
        guard case .failed(let reason) = try await stand.run(.start, vip) else {
            Issue.record("the start did not fail")
            return
        }
        #expect(reason.contains("lease"), "\(reason)")
        #expect(try await !isHere())
        #expect(try await !isHeld())
        keeper.renew(until: Clock.monotonic() - .seconds(1))
        #expect(try await stand.run(.start, vip) != .succeeded)
        #expect(try await !isHere())
    }

    @Test
    func `An address is held from its start to its stop`() async throws {
        keeper.renew(until: Self.inTenSeconds())
        try await until { try await set("virtual4").contains("10.9.9.100") }
        #expect(try await !isHeld())
        #expect(try await stand.run(.start, vip) == .succeeded)
        #expect(try await isHeld())
        #expect(try await stand.run(.stop, vip) == .succeeded)
        try await until { try await !isHeld() }
        #expect(try await set("virtual4").contains("10.9.9.100"))
        keeper.manage([])
        try await until { try await !set("virtual4").contains("10.9.9.100") }
    }

    @Test
    func `It is renewed with the lease, and ends with it`() async throws {
        keeper.renew(until: Clock.monotonic() + .seconds(2))
        #expect(try await stand.run(.start, vip) == .succeeded)
        keeper.renew(until: Clock.monotonic() + .seconds(100))
        try await until { try await set("held4").contains("expires 1m") }
        keeper.renew(until: nil)
        try await until { try await !isHeld() }
    }

    @Test
    func `All are released at once, and stay silent while they are on an interface`() async throws {
        keeper.renew(until: Self.inTenSeconds())
        #expect(try await stand.run(.start, vip) == .succeeded)
        keeper.releaseAll()
        keeper.manage([])
        try await until { try await !isHeld() }
        #expect(try await set("virtual4").contains("10.9.9.100"))
        #expect(try await isHere())
        let ear = try await network.listen()
        stand.runner.announceAgain()
        #expect(try await stand.run(.monitor, vip) == .succeeded)
        #expect(try ear.announcements(of: address, wanted: 1, within: .milliseconds(300)) == 0)
    }

    @Test
    func `Tables that somebody flushed are back at the next renewal, and it is told`() async throws {
        keeper.renew(until: Self.inTenSeconds())
        #expect(try await stand.run(.start, vip) == .succeeded)
        _ = try await network.output(of: "/usr/sbin/nft", ["flush", "ruleset"])
        keeper.renew(until: Self.inTenSeconds())
        try await until { try await network.output(of: "/usr/sbin/nft", ["list", "ruleset"]).contains("10.9.9.100 ") }
        try await until { remarks.texts.withLock { $0 }.contains { $0.contains("nftables") } }
        #expect(keeper.trouble == nil)
        try keeper.end()
        #expect(try await network.output(of: "/usr/sbin/nft", ["list", "ruleset"]).isEmpty)
    }
}
