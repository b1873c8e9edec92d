import CLinux
import Guard
import LinuxIO
import Processes

/// The command line, written by hand: it has four options and a flag, and the program must stay small enough to be
/// locked into memory.
enum GuardProgram {
    /// Above the agent, which it watches; below the kernel's own threads.
    private static let priority: Int32 = 21

    /// Guards; the process's exit code.
    static func run(_ words: [String]) -> Int32 {
        var values: [String: String] = [:]
        var rest = words[...]
        var isRealtime = true
        while let word = rest.popFirst() {
            if word == "--no-realtime" {
                isRealtime = false
            } else if let value = rest.popFirst() {
                values[word] = value
            }
        }
        guard let lease = values["--lease"], let list = values["--list"], let session = values["--session"] else {
            say("usage: haven-guard --lease FILE --list FILE --session WORD [--no-realtime]; started by havend")
            return 2
        }
        do throws(SystemError) {
            var nodeGuard = try NodeGuard(
                lease: lease,
                list: list,
                session: session,
                lastResort: LastResort(
                    device: values["--watchdog"] ?? "/dev/watchdog",
                    reboot: { _ = haven_reboot_now() },
                    command: runCommand
                ),
                say: say
            )
            if isRealtime {
                // Where the machine does not allow it the agent has said so.
                try? Scheduling.lockMemory()
                try? Scheduling.becomeRealtime(priority: priority)
            }
            nodeGuard.run()
            return 0
        } catch {
            say("\(error)")
            return 1
        }
    }

    private static let commandPath = "/etc/haven/self-fence"

    /// Started and not waited for: what it does is the operator's.
    private static func runCommand() {
        var invocation = Invocation(commandPath)
        invocation.newSession = true
        invocation.output = .descriptor(1)
        invocation.errors = .descriptor(2)
        do throws(SystemError) { try ChildProcess(invocation).detach() } catch { say("\(error)") }
    }

    private static func say(_ text: String) {
        let bytes = Array("haven-guard: \(text)\n".utf8)
        _ = haven_write(2, bytes, bytes.count)
    }
}
