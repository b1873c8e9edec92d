import CLinux
import ClusterModel
import LinuxIO
import Processes
import Testing

@testable import FenceRunner

/// OpenIPMI's simulator as the management controller of a machine whose power is a file.
private final class SimulatedController {
    let port: UInt16
    private let scratch: Scratch
    private let process: ChildProcess

    init(_ scratch: Scratch) throws {
        self.scratch = scratch
        port = try freePort()
        try scratch.write("chassis", Self.chassis, mode: 0o700)
        try scratch.write("power", "1\n")
        try scratch.write(
            "bmc.emu",
            "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nmc_enable 0x20\n"
        )
        try scratch.write("lan.conf", Self.lan(port: port, directory: scratch.path))
        var call = Invocation(
            "/usr/bin/ipmi_sim",
            ["-c", "\(scratch.path)/lan.conf", "-f", "\(scratch.path)/bmc.emu", "-s", "\(scratch.path)/state", "-n"]
        )
        call.leftovers = .kill
        process = try ChildProcess(call)
        try waitUntilItAnswers()
    }

    deinit { _ = try? process.stop(.kill) }

    /// Sends ASF presence pings (IPMI 2.0, 13.2.3) until a pong comes.
    private func waitUntilItAnswers() throws {
        let ping: [UInt8] = [0x06, 0x00, 0xFF, 0x06, 0x00, 0x00, 0x11, 0xBE, 0x80, 0x00, 0x00, 0x00]
        let loopback = try #require(IPAddress("127.0.0.1"))
        let socket = try DatagramSocket(binding: loopback, port: 0)
        var poller = try Poller()
        try poller.add(socket.descriptor.number, .read, token: 0)
        var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)
        let end = Clock.monotonic() + .seconds(20)
        while Clock.monotonic() < end {
            socket.send(ping, to: SocketAddress(loopback, port: port))
            var events: [Poller.Event] = []
            let now = Clock.monotonic()
            try poller.wait(until: now + .milliseconds(50), now: now, into: &events)
            if socket.receive(into: &buffer) != nil { return }
        }
        throw SystemError(call: "ipmi_sim", subject: "port \(port)", code: ETIMEDOUT)
    }

    func device(password: String = "s3cret") -> FenceDevice {
        FenceDevice(
            name: "bmc",
            agent: "fence_ipmilan",
            parameters: [
                "ip": "127.0.0.1", "ipport": String(port), "lanplus": "1", "cipher": "3", "username": "fence",
                "power_wait": "0",
            ],
            secrets: ["password": Secret(password)],
            targets: ["n1": ""]
        )
    }

    private static let chassis = """
        #!/bin/sh
        st=$1; op=$2; shift 2
        case $op in
          get) for p in "$@"; do case $p in power) echo "power:$(cat "$st/power")";; *) exit 1;; esac; done;;
          set) [ "$1" = power ] && echo "$2" >"$st/power";;
        esac
        exit 0

        """

    private static func lan(port: UInt16, directory: String) -> String {
        """
        name "bench"
        set_working_mc 0x20
          startlan 1
            addr 127.0.0.1 \(port)
            priv_limit admin
            allowed_auths_callback none md2 md5 straight
            allowed_auths_user     none md2 md5 straight
            allowed_auths_operator none md2 md5 straight
            allowed_auths_admin    none md2 md5 straight
            guid a123456789abcdefa123456789abcdef
          endlan
          chassis_control "\(directory)/chassis \(directory)"
          user 1 true "" "" user 10 none md2 md5 straight
          user 2 true "fence" "s3cret" admin 10 none md2 md5 straight

        """
    }
}

/// A UDP port of the loopback interface that nobody uses right now.
private func freePort() throws -> UInt16 {
    let loopback = try #require(IPAddress("127.0.0.1"))
    let socket = try DatagramSocket(binding: loopback, port: 0)
    return try #require(SocketAddress.local(of: socket.descriptor.number)?.endpoint?.port)
}

private let isInstalled = access("/usr/bin/ipmi_sim", X_OK) == 0 && access("/usr/sbin/fence_ipmilan", X_OK) == 0

@Suite(.enabled(if: isInstalled, "ipmi_sim or fence_ipmilan is not installed"), .timeLimit(.minutes(1)))
struct IPMISimTests {
    private let scratch: Scratch
    private let stand: Stand

    init() throws {
        scratch = try Scratch()
        stand = try Stand(searchPath: FenceRunner.standardSearchPath)
    }

    @Test
    func `Debian's fence_ipmilan powers a machine off, verified, and on again`() async throws {
        let controller = try SimulatedController(scratch)
        #expect((try? await stand.check(controller.device()).get()) != nil)
        let off = await stand.fence([controller.device()])
        #expect(off.verifiedBy == "bmc")
        #expect(scratch.read("power") == "0\n")
        #expect(await stand.power(controller.device()) == .off)
        let again = await stand.fence([controller.device()], powersOn: true)
        #expect(again.verifiedBy == "bmc")
        #expect(again.last == .poweredOn(order: 1, failure: nil))
        #expect(scratch.read("power") == "1\n")
    }

    @Test
    func `A wrong password is a failure that does not show it`() async throws {
        let controller = try SimulatedController(scratch)
        let reason = try #require(await stand.fence([controller.device(password: "wr0ng-Pw")]).failure)
        #expect(reason.hasPrefix("bmc: off returned 1"))
        #expect(!reason.contains("wr0ng-Pw"))
        #expect(scratch.read("power") == "1\n")
    }

    @Test
    func `A controller that does not answer fails at the deadline, and the next device is tried`() async throws {
        let loopback = try #require(IPAddress("127.0.0.1"))
        let silent = try DatagramSocket(binding: loopback, port: 0)
        let port = try #require(SocketAddress.local(of: silent.descriptor.number)?.endpoint?.port)
        let controller = try SimulatedController(scratch)
        var dead = controller.device()
        dead.name = "dead"
        dead.parameters["ipport"] = String(port)
        #expect(await stand.fence([dead, controller.device()], seconds: 20).verifiedBy == "bmc")
        let reason = try #require(await stand.fence([dead], seconds: 3).failure)
        #expect(reason.hasPrefix("dead: off "))
    }
}
