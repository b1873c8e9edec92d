internal import CLinux
import ClusterModel
import Foundation
import LinuxIO
import Netlink
import Processes

/// Starts the agent of this machine: through systemd where it runs and has our unit, otherwise as a daemon of our own
/// that is started again when it crashes.
public struct AgentService: Sendable {
    private let paths: AgentPaths

    /// How long an agent may take until its socket answers.
    public static let startPatience = Duration.seconds(15)

    /// The unit's name.
    static let unit = "havend.service"

    /// Where a machine without systemd keeps what shall run after a boot, one executable each.
    static let bootDirectory = "/etc/haven/boot.d"

    /// Serves the agent with these files.
    public init(paths: AgentPaths) { self.paths = paths }

    /// Whether an agent holds its lock.
    public var isRunning: Bool {
        guard let file = try? Descriptor.open(paths.lock, O_RDWR) else { return false }
        return !FileLock.tryLock(file.number)
    }

    /// Starts the agent now and at every boot, and waits until its socket is there.
    public func start() throws(SetupError) {
        if isRunning { return }
        do {
            if usesSystemd {
                try systemctl(["enable", "--now", Self.unit])
            } else {
                try enableAtBoot()
                let logged = Self.logLength
                do throws(SetupError) {
                    try waitForSocket(of: try startDaemon())
                } catch {
                    throw error.adding(Self.refusal(after: logged))
                }
                return
            }
            try waitForSocket(of: nil)
        } catch let error as SetupError {
            throw error
        } catch {
            throw .failed("the agent could not be started: \(error)")
        }
    }

    /// How long an agent may take to hand its work over and end.
    public static let stopPatience = Duration.seconds(120)

    /// Waits until the agent has ended.
    public func waitForEnd() throws(SetupError) {
        let deadline = Clock.monotonic() + Self.stopPatience
        while isRunning {
            guard Clock.monotonic() < deadline else {
                throw .failed("the agent still runs after \(Self.stopPatience.components.seconds) s; see haven status")
            }
            pause()
        }
    }

    /// Ends what keeps the agent running; the agent itself was asked to leave before.
    public func disable() throws(SetupError) {
        do {
            if usesSystemd { try systemctl(["disable", "--now", Self.unit]) }
            try DurableFile.remove(Self.bootDirectory + "/havend")
        } catch let error as SetupError {
            throw error
        } catch {
            throw .failed("the agent could not be disabled: \(error)")
        }
    }

    /// Forgets the cluster: every file of the agent goes, and what keeps virtual IPs silent on this machine.
    ///
    /// Refused while the agent runs.
    public func destroy() throws(SetupError) {
        guard !isRunning else { throw .failed("the agent still runs; stop it first: haven cluster stop") }
        do {
            for path in [paths.state, paths.run] where FileManager.default.fileExists(atPath: path) {
                try FileManager.default.removeItem(atPath: path)
            }
        } catch {
            throw .failed("\(error.localizedDescription)")
        }
        // Where there is no nf_tables there are no tables either.
        try? AddressLease.removeTables()
    }

    private var usesSystemd: Bool {
        FileManager.default.fileExists(atPath: "/run/systemd/system")
            && ["/etc/systemd/system/", "/lib/systemd/system/"].contains {
                FileManager.default.fileExists(atPath: $0 + Self.unit)
            }
    }

    private func systemctl(_ words: [String]) throws {
        guard let program = Invocation.find("systemctl") else { throw SetupError.failed("there is no systemctl") }
        let result = try ChildProcess.run(Invocation(program, words), timeout: Self.startPatience)
        guard result.isSuccess else {
            throw SetupError.failed("systemctl \(words.joined(separator: " ")): \(result.errors.text)")
        }
    }

    /// The agent's program: beside this one, else where the system keeps programs.
    private func program() throws(SetupError) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = (own as NSString).deletingLastPathComponent + "/havend"
        if FileManager.default.isExecutableFile(atPath: beside) { return beside }
        if let found = Invocation.find("havend") { return found }
        throw .failed("havend is neither beside haven nor in \(Invocation.searchPath)")
    }

    private func startDaemon() throws(SetupError) -> ChildProcess {
        do {
            try FileManager.default.createDirectory(atPath: "/var/log/haven", withIntermediateDirectories: true)
            var invocation = Invocation("/bin/sh", ["-c", try startScript()])
            invocation.directory = "/"
            invocation.newSession = true
            invocation.output = .append(path: Self.log)
            invocation.errors = .append(path: Self.log)
            return try ChildProcess(invocation)
        } catch let error as SetupError {
            throw error
        } catch { throw .failed("\(error)") }
    }

    private static let log = "/var/log/haven/havend.log"

    /// Where an operator gives the agent options: HAVEND_OPTIONS="--no-realtime"; the unit reads it too.
    static let settings = "/etc/default/havend"

    /// What starts the agent where systemd does not.
    private func startScript() throws -> String {
        """
        HAVEND_OPTIONS=
        [ ! -r \(Self.settings) ] || . \(Self.settings)
        exec '\(try program())' --supervise --state '\(paths.state)' --run '\(paths.run)' $HAVEND_OPTIONS

        """
    }

    private static var logLength: UInt64 {
        ((try? FileManager.default.attributesOfItem(atPath: log))?[.size] as? NSNumber)?.uint64Value ?? 0
    }

    /// What an agent that does not run said last about why, in the part of the log that it wrote.
    private static func refusal(after offset: UInt64) -> String? {
        guard let file = FileHandle(forReadingAtPath: log), (try? file.seek(toOffset: offset)) != nil,
            let data = try? file.read(upToCount: 65_536)
        else { return nil }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        let line = lines.last { $0.contains(" critical havend:") }
        return line?.split(separator: "] ", maxSplits: 1).last.map(String.init)
    }

    /// Where the machine runs a directory of programs at boot, the agent is one of them.
    private func enableAtBoot() throws {
        guard FileManager.default.fileExists(atPath: Self.bootDirectory) else { return }
        let script = "#!/bin/sh\nexec >>\(Self.log) 2>&1\n" + (try startScript())
        try DurableFile.replace(Self.bootDirectory + "/havend", content: Array(script.utf8), mode: 0o755)
    }

    /// Waits until the agent answers; a daemon that ends before would never.
    private func waitForSocket(of daemon: ChildProcess?) throws(SetupError) {
        let deadline = Clock.monotonic() + Self.startPatience
        while Clock.monotonic() < deadline {
            if (try? StreamSocket.connectUnix(path: paths.socket).number) != nil {
                daemon?.detach()
                return
            }
            daemon?.progress()
            if daemon?.exit != nil { throw .failed("the agent does not start; see \(Self.log)") }
            pause()
        }
        daemon?.detach()
        throw .failed(
            "the agent did not open \(paths.socket) within \(Self.startPatience.components.seconds) s; "
                + "see \(Self.log) or: journalctl -u havend"
        )
    }

    /// The time between two looks at something that another process does.
    private func pause() { Pause.until(Clock.monotonic() + .milliseconds(50)) }
}
