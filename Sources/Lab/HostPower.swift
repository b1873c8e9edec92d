internal import ClusterModel
internal import LinuxIO
internal import Processes

/// The power switch of one machine of the lab.
struct HostPower {
    let specification: LabSpecification
    let paths: LabPaths
    let machine: String

    /// No host takes a tenth of this to boot, or to die.
    static let timeLimit = Duration.seconds(20)

    private var network: LabSwitch { LabSwitch(specification: specification, paths: paths) }

    /// PID 1 as the process space outside sees it; nil when the power is off.
    var firstProcess: ProcessIdentity? {
        guard let words = LabFiles.read(paths.processFile(machine))?.split(whereSeparator: \.isWhitespace),
            words.count == 2,
            let pid = Int32(words[0]), let ticks = UInt64(words[1])
        else { return nil }
        let identity = ProcessIdentity(pid: pid, startTicks: ticks)
        return identity.isRunning ? identity : nil
    }

    /// Boots it, with a fresh network stack and the disk as it was; nothing happens when it is on.
    func on(secrets: [String: String] = [:]) throws(LabError) {
        guard firstProcess == nil else { return }
        // Also what a crashed “power on” left behind.
        try network.disconnect(machine)
        try LabFiles.makeDirectory(paths.machine(machine))
        try HostDisk(specification: specification, paths: paths, machine: machine).create(secrets: secrets)
        do throws(LabError) {
            try network.connect(machine, cableOut: LabFiles.exists(paths.cableOut(machine)))
            try start()
        } catch {
            try network.disconnect(machine)
            throw error
        }
    }

    /// Cuts the power: first all links go dark, so that no farewell gets out, then every process is killed at once, and
    /// then the network stack goes, so that no address answers.
    func off() throws(LabError) {
        try network.darken(machine)
        if let first = firstProcess, !first.kill(patience: Self.timeLimit) {
            throw .failed("process \(first.pid), the first one of \(machine), cannot be killed")
        }
        LabFiles.remove(paths.processFile(machine))
        try network.disconnect(machine)
    }

    private func start() throws(LabError) {
        guard let nsenter = Invocation.find("nsenter") else { throw .failed("the program “nsenter” is not installed") }
        var call = Invocation(
            nsenter,
            [
                "--net=\(paths.namespacePath(machine))",
                "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child",
                specification.executable, "lab", "init",
            ] + paths.option + [machine]
        )
        call.environment = LabHost.environment(specification)
        call.directory = "/"
        call.newSession = true
        call.errors = .append(path: paths.console(machine))
        let child = try LabError.wrap { () throws(SystemError) in try ChildProcess(call) }
        let isUp = try LabError.wrap { () throws(SystemError) in
            try child.wait(until: Clock.monotonic() + Self.timeLimit) { $0.output.bytes.last == UInt8(ascii: "\n") }
        }
        guard isUp, let first = Self.readyProcess(child.output.text) else {
            child.signalGroup(9)
            throw .failed("\(machine) does not boot: \(LabFiles.read(paths.console(machine)) ?? "no reason given")")
        }
        child.detach()
        try LabFiles.write(paths.processFile(machine), "\(first.pid) \(first.startTicks)\n")
    }

    private static func readyProcess(_ line: String) -> ProcessIdentity? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0] == HostInit.readyWord, let pid = Int32(words[1]) else { return nil }
        return ProcessIdentity(runningAs: pid)
    }
}
