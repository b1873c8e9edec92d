internal import CLinux
internal import ClusterModel
internal import FoundationEssentials
internal import LinuxIO
internal import Processes

/// PID 1 of a host: builds its file system, starts what is enabled at boot, and collects orphans until it is killed.
public enum HostInit {
    /// Executables here are started at boot, all at once; they live on the host's disk.
    public static let bootDirectory = "/etc/haven/boot.d"
    /// Where their output goes.
    public static let bootLog = "/var/log/haven-boot.log"
    /// The most that are started.
    static let mostBootPrograms = 64
    /// What PID 1 prints when the host is up, followed by its number in the process space outside.
    static let readyWord = "ready"

    /// Runs a host; ends only by throwing or being killed.
    ///
    /// - Parameters:
    ///   - machine: The host's name.
    ///   - lab: The lab's name.
    /// - Throws: what went wrong while booting.
    public static func run(_ machine: String, lab: String) throws {
        guard getpid() == 1 else {
            throw LabError.invalid("“lab init” is the first process of a lab host and does nothing elsewhere")
        }
        umask(0o022)
        let paths = LabPaths(lab: lab)
        let specification = try Lab.readSpecification(paths)
        // /proc still is the one of the process space outside.
        let outerPid = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self")
        let signals = try SignalInput([SIGCHLD])
        let disk = HostDisk(specification: specification, paths: paths, machine: machine)
        try LabTool.run("sh", ["-s"], input: disk.mountScript)
        startBootPrograms(specification)
        // This also closes the output: whoever started the host stops reading now.
        try Descriptor(owning: STDOUT_FILENO).writeAll(Array("\(readyWord) \(outerPid)\n".utf8))
        try collectOrphans(signals)
    }

    private static func startBootPrograms(_ specification: LabSpecification) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: bootDirectory)) ?? []
        for name in names.sorted().prefix(mostBootPrograms) {
            let path = "\(bootDirectory)/\(name)"
            guard FileManager.default.isExecutableFile(atPath: path) else { continue }
            var call = Invocation(path)
            call.environment = LabHost.environment(specification)
            call.directory = "/"
            call.newSession = true
            call.output = .append(path: bootLog)
            call.errors = .append(path: bootLog)
            do {
                try ChildProcess(call).detach()
            } catch {
                // A host with a bad boot program still boots, and says so on its console.
                let line = "boot: \(error)\n"
                _ = line.withCString { haven_write(STDERR_FILENO, $0, line.utf8.count) }
            }
        }
    }

    private static func collectOrphans(_ signals: borrowing SignalInput) throws {
        var poller = try Poller()
        try poller.add(signals.descriptor.number, .read, token: 0)
        while true {
            Orphans.collect()
            var events: [Poller.Event] = []
            try poller.wait(until: nil, now: Clock.monotonic(), into: &events)
            while signals.next() != nil {}
        }
    }
}
