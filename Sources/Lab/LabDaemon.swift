internal import ClusterModel
internal import LinuxIO
internal import Processes

/// Programs that stand beside the hosts, on the management network.
enum LabDaemon {
    /// How often a program that starts is looked at.
    private static let interval = Duration.milliseconds(5)
    private static let timeLimit = Duration.seconds(10)

    /// Starts a program in the management namespace, but in the machine's own file system: a host that is powered on
    /// from there must be visible to everybody.
    static func start(_ words: [String], paths: LabPaths, log: String) throws(LabError) -> ChildProcess {
        guard let nsenter = Invocation.find("nsenter") else { throw .failed("the program “nsenter” is not installed") }
        var call = Invocation(nsenter, ["--net=\(paths.namespacePath(LabPaths.managementName))", "--"] + words)
        call.environment = ["PATH": Invocation.searchPath, "LANG": "C.UTF-8"]
        call.directory = "/"
        call.newSession = true
        call.output = .append(path: log)
        call.errors = .append(path: log)
        return try LabError.wrap { () throws(SystemError) in try ChildProcess(call) }
    }

    /// Waits until it listens.
    static func waitForPort(
        _ service: ChildProcess,
        protocol name: String,
        address: String,
        _ port: UInt16
    ) throws(LabError) {
        let deadline = Clock.monotonic() + timeLimit
        let entry = kernelForm(address, port)
        while !(LabFiles.read("/proc/\(service.pid)/net/\(name)") ?? "").contains(entry) {
            let now = Clock.monotonic()
            let ended = try LabError.wrap { () throws(SystemError) in
                try service.wait(until: now + interval) { $0.exit != nil }
            }
            guard !ended, now < deadline else {
                service.signalGroup(9)
                throw .failed(
                    "\(name) port \(port) of \(address) was not opened (\(service.exit?.description ?? "late"))"
                )
            }
        }
    }

    /// An address as /proc/net shows it: the four bytes backwards, then the port.
    private static func kernelForm(_ address: String, _ port: UInt16) -> String {
        func hex(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let bytes = address.split(separator: ".").compactMap { Int($0) }
        return bytes.reversed().map { hex($0, 2) }.joined() + ":" + hex(Int(port), 4)
    }
}
