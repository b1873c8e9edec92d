import CLinux
import ClusterModel
import LinuxIO
import Recovery
import Supervision
import Testing

@testable import ResourceRunner

private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

private func addressResource(
    _ name: String,
    _ text: String,
    prefix: Int = 24,
    on interface: String? = nil
) throws -> Resource {
    let address = VirtualIP(address: try address(text), prefixLength: prefix, interface: interface)
    return Resource(name: name, kind: .virtualIP(address))
}

@Suite(.enabled(if: PrivateNetwork.isPossible, "needs root for a network namespace"), .timeLimit(.minutes(1)))
struct AddressTests {
    private let scratch: Scratch
    private let network: PrivateNetwork
    private let stand: Stand

    init() async throws {
        let scratch = try Scratch()
        self.scratch = scratch
        network = try await PrivateNetwork()
        stand = try await network.run { try Stand(scratch) }
    }

    private func isHere(_ text: String) async throws -> Bool { try await network.ip("addr show").contains(" \(text)/") }

    @Test(arguments: [("10.9.9.100", 24, 2), ("2001:db8::100", 64, 1)])
    func `An address comes, is announced, seen, and goes`(text: String, prefix: Int, frames: Int) async throws {
        let vip = try addressResource("vip", text, prefix: prefix)
        let ear = try await network.listen()
        #expect(try await stand.run(.probe, vip) == .notRunning)
        #expect(try await stand.run(.start, vip) == .succeeded)
        #expect(try await stand.run(.start, vip) == .succeeded)
        #expect(try await stand.run(.monitor, vip) == .succeeded)
        #expect(try await stand.run(.probe, vip) == .succeeded)
        #expect(try await isHere(text))
        #expect(try await !network.ip("-o addr show to \(text)").contains("tentative"))
        // The second start's whole burst, and the first of the first one.
        let wanted = frames * (AddressOperations.announcements.count + 1)
        #expect(try ear.announcements(of: try address(text), wanted: wanted, within: .seconds(10)) >= wanted)
        #expect(try await stand.run(.stop, vip) == .succeeded)
        #expect(try await !isHere(text))
        #expect(try await stand.run(.monitor, vip) == .notRunning)
        #expect(try await stand.run(.stop, vip) == .succeeded)
    }

    @Test
    func `After a partition healed the neighbours are told again`() async throws {
        let vip = try addressResource("vip", "10.9.9.100")
        #expect(try await stand.run(.start, vip) == .succeeded)
        let ear = try await network.listen()
        let burst = 2 * AddressOperations.announcements.count
        // Nothing but the rest of the first burst, which ends after a second.
        #expect(try ear.announcements(of: try address("10.9.9.100"), wanted: 1000, within: .milliseconds(1500)) < burst)
        stand.runner.announceAgain()
        #expect(try ear.announcements(of: try address("10.9.9.100"), wanted: burst, within: .seconds(10)) >= burst)
    }

    @Test
    func `While somebody else may answer announcements are repeated, and who does is told once`() async throws {
        let vip = try addressResource("vip", "10.9.9.100", on: "v0")
        #expect(try await stand.run(.start, vip) == .succeeded)
        let text = try address("10.9.9.100")
        let ear = try await network.listen()
        let burst = 2 * AddressOperations.announcements.count
        stand.runner.keepAnnouncing(true)
        #expect(try ear.announcements(of: text, wanted: 3 * burst, within: .seconds(20)) >= 3 * burst)
        for _ in 0..<3 { try ear.claim(text, as: [2, 0, 0, 0, 0, 9]) }
        #expect(await stand.next() == .rival("vip", text, hardwareAddress: "02:00:00:00:00:09"))
        try ear.claim(text, as: [2, 0, 0, 0, 0, 9])
        // A second rival is told, so the first one was not told again before it.
        try ear.claim(text, as: [2, 0, 0, 0, 0, 10])
        #expect(await stand.next() == .rival("vip", text, hardwareAddress: "02:00:00:00:00:0a"))
        stand.runner.keepAnnouncing(false)
        #expect(try await stand.run(.monitor, vip) == .succeeded)
        // One burst more, for whoever believed the other one last; frames that wait in the ear are from before.
        _ = try ear.announcements(of: text, wanted: 1000, within: .milliseconds(1500))
        #expect(try ear.announcements(of: text, wanted: 1, within: .milliseconds(500)) == 0)
    }

    @Test
    func `All addresses can be dropped at once from another thread, and are not announced any more`() async throws {
        let addresses = ["10.9.9.100", "10.9.9.101", "2001:db8::100"]
        for text in addresses {
            let vip = try addressResource(
                "vip-\(addresses.firstIndex(of: text) ?? 0)",
                text,
                prefix: text.contains(":") ? 64 : 24
            )
            #expect(try await stand.run(.start, vip) == .succeeded)
        }
        let runner = stand.runner
        let failures = try await network.run {
            var dropper = try AddressDropper(for: runner)
            return dropper.drop(Set(addresses.compactMap { IPAddress($0) } + [IPAddress("10.1.1.1")].compactMap { $0 }))
        }
        #expect(failures == [])
        let ear = try await network.listen()
        for text in addresses { #expect(try await !isHere(text)) }
        #expect(try await isHere("10.9.9.1"))
        #expect(try ear.announcements(of: try address("10.9.9.100"), wanted: 1, within: .milliseconds(1200)) == 0)
        #expect(try await stand.run(.monitor, try addressResource("vip-0", "10.9.9.100")) == .notRunning)
        // What is ordered after the drop counts again.
        #expect(try await stand.run(.start, try addressResource("vip-0", "10.9.9.100")) == .succeeded)
    }

    @Test
    func `A start that was ordered before a drop leaves no address behind`() async throws {
        let vip = try addressResource("vip", "10.9.9.100")
        let outcome = try await network.run {
            let gate = AddressGate()
            let operations = AddressOperations(
                loop: try EventLoop(),
                network: AddressNetwork(),
                gate: gate,
                keeper: nil
            )
            let before = gate.count
            gate.close()
            guard case .virtualIP(let address) = vip.kind else { throw CancellationError() }
            let operation = Operation(id: 1, kind: .start, resource: vip, timeout: .seconds(1))
            return operations.run(operation, address, drops: before)
        }
        #expect(outcome == .cancelled)
        #expect(try await !isHere("10.9.9.100"))
    }

    @Test
    func `A link without carrier, an interface or subnet that is not here are told by name`() async throws {
        let vip = try addressResource("vip", "10.9.9.100")
        #expect(try await stand.run(.start, vip) == .succeeded)
        try await network.ip("link set v1 down")
        #expect(try await stand.run(.monitor, vip) == .failed("the interface v0 has no carrier"))
        let named = try addressResource("other", "10.9.9.101", on: "v0")
        #expect(try await stand.run(.start, named) == .failed("the interface v0 has no carrier"))
        try await network.ip("link set v0 down")
        #expect(try await stand.run(.monitor, vip) == .failed("the interface v0 is down"))
        let missing = try addressResource("other", "10.9.9.101", on: "eth7")
        #expect(
            try await stand.run(.start, missing) == .failed("there is no network interface \"eth7\" on this node")
        )
        guard case .failed(let reason) = try await stand.run(.start, try addressResource("other", "192.0.2.1")) else {
            throw CancellationError()
        }
        #expect(reason.contains("192.0.2.1"))
    }

    @Test
    func `An address with another length or on another interface is replaced`() async throws {
        try await network.ip("addr add 10.9.9.100/32 dev v1")
        let vip = try addressResource("vip", "10.9.9.100", on: "v0")
        #expect(try await stand.run(.probe, vip) == .succeeded)
        #expect(try await stand.run(.start, vip) == .succeeded)
        #expect(try await !network.ip("addr show dev v1").contains("10.9.9.100"))
        #expect(try await network.ip("addr show dev v0").contains("10.9.9.100/24"))
    }

    @Test
    func `An address stays when the one before it in its subnet is removed`() async throws {
        let first = try addressResource("first", "10.8.8.1", on: "v0")
        let second = try addressResource("second", "10.8.8.2", on: "v0")
        #expect(try await stand.run(.start, first) == .succeeded)
        #expect(try await stand.run(.start, second) == .succeeded)
        #expect(try await stand.run(.stop, first) == .succeeded)
        #expect(try await stand.run(.monitor, second) == .succeeded)
    }

    private static let hasNginx =
        access("/usr/lib/ocf/resource.d/heartbeat/nginx", X_OK) == 0 && access("/usr/sbin/nginx", X_OK) == 0

    @Test(.enabled(if: hasNginx, "nginx or its agent is not installed"))
    func `ocf:heartbeat:nginx serves in a network of its own`() async throws {
        let configuration = """
            pid \(scratch.path)/nginx.pid;
            error_log \(scratch.path)/error.log;
            events {}
            http { access_log off; server { listen 10.9.9.1:80; location / { return 200 "hello"; } } }

            """
        try scratch.write("nginx.conf", configuration)
        let name = scratch.resource("web")
        let web = ocf(name, "heartbeat", "nginx", ["configfile": "\(scratch.path)/nginx.conf"])
        #expect(try await stand.run(.probe, web) == .notRunning)
        #expect(try await stand.run(.start, web) == .succeeded)
        #expect(try await network.output(of: "/usr/bin/curl", ["-s", "http://10.9.9.1/"]) == "hello")
        #expect(try await stand.run(.monitor, web) == .succeeded)
        #expect(try await stand.run(.stop, web) == .succeeded)
        #expect(try await stand.run(.monitor, web) == .notRunning)
    }
}
