import CLinux
import ClusterModel
import LinuxIO
import Processes

@testable import FenceRunner

/// A directory of a test's own, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/haven-fence-\(getpid())-\(try SystemRandom.random128())"
        guard mkdir(path, 0o700) == 0 else { throw SystemError(call: "mkdir", subject: path, code: haven_errno()) }
    }

    deinit { _ = try? ChildProcess.run(Invocation("/bin/rm", ["-rf", path]), timeout: .seconds(20)) }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        let file = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.writeAll(Array(text.utf8))
    }

    func read(_ name: String) -> String {
        guard let file = try? Descriptor.open("\(path)/\(name)", O_RDONLY), let bytes = try? file.read(upTo: 1 << 20)
        else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A fence agent written by a test: keeps its power in a file, writes down what it was asked, and misbehaves on demand.
enum ScriptedAgent {
    static let name = "fence_scripted"

    static func install(in scratch: Scratch) throws {
        try scratch.write(name, script, mode: 0o700)
        try scratch.write("power", "on")
    }

    static func device(
        _ scratch: Scratch,
        name: String = "dev",
        fault: String = "none",
        password: String = "s3cret-Pw"
    ) -> FenceDevice {
        FenceDevice(
            name: name,
            agent: Self.name,
            parameters: ["state": scratch.path, "fault": fault],
            secrets: ["password": Secret(password)],
            targets: ["n1": "plug-1"]
        )
    }

    private static let script = """
        #!/bin/sh
        while IFS= read -r line; do
          case $line in
            action=*) action=${line#*=};; state=*) state=${line#*=};; fault=*) fault=${line#*=};;
            plug=*) plug=${line#*=};; nodename=*) node=${line#*=};; password=*) password=${line#*=};;
          esac
        done
        if [ "$action" = metadata ]; then
          echo '<resource-agent name="fence_scripted"><parameters>'
          for p in action plug state fault password power_timeout; do echo "<parameter name=\\"$p\\"/>"; done
          echo '<parameter name="must" required="1"/>'
          echo '</parameters><actions>'
          for a in on off status monitor metadata; do echo "<action name=\\"$a\\"/>"; done
          echo '</actions></resource-agent>'
          exit 0
        fi
        echo "$action $node $plug" >>"$state/log"
        tr '\\0' ' ' </proc/$$/cmdline >>"$state/seen"
        tr '\\0' ' ' </proc/$$/environ >>"$state/seen"
        case $fault-$action in
          refuse-*) echo "login with $password was refused" >&2; exit 1;;
          hang-off) trap '' TERM; sleep 1000 & echo $! >"$state/orphan"; wait;;
          flood-off) head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2;;
          strange-off) exit 77;;
          die-off) kill -9 $$;;
          stuck-off) exit 0;;
        esac
        case $action in
          on|off) echo $action >"$state/power";;
          status) [ "$(cat "$state/power")" = on ] && exit 0; exit 2;;
        esac
        exit 0

        """
}

/// Runs orders and hands their events out in order.
final class Stand: Sendable {
    let runner: FenceRunner
    let events: AsyncStream<FenceEvent>

    init(searchPath: [String]) throws {
        let (stream, feed) = AsyncStream.makeStream(of: FenceEvent.self)
        events = stream
        runner = try FenceRunner(searchPath: searchPath) { feed.yield($0) }
    }

    deinit { runner.shutDown() }

    /// The events of one order: its end, and the powering on when it asked for one and was verified.
    func fence(_ devices: [FenceDevice], seconds: Int64 = 30, powersOn: Bool = false) async -> [FenceEvent] {
        runner.fence(
            FenceOrder(id: 1, node: "n1", devices: devices, timeout: .seconds(seconds), powersOn: powersOn)
        )
        var result: [FenceEvent] = []
        for await event in events {
            result.append(event)
            if case .ended(_, .verified) = event, powersOn { continue }
            break
        }
        return result
    }

    func check(_ device: FenceDevice, seconds: Int64 = 20) async -> Result<Duration, FenceFailure> {
        await withCheckedContinuation { continuation in
            runner.check(device, timeout: .seconds(seconds)) { continuation.resume(returning: $0) }
        }
    }

    func power(_ device: FenceDevice) async -> PowerReading {
        await withCheckedContinuation { continuation in
            runner.readPower(of: "n1", by: device) { continuation.resume(returning: $0) }
        }
    }
}

extension [FenceEvent] {
    /// Why the order failed; nil when it did not.
    var failure: String? {
        if case .ended(_, .failed(let reason)) = first { reason } else { nil }
    }

    /// Which device verified; nil when none did.
    var verifiedBy: String? {
        if case .ended(_, .verified(let device, _)) = first { device } else { nil }
    }
}
