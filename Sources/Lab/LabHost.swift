internal import LinuxIO
public import Processes

/// A machine of a running lab: one of the hosts, or the client.
public struct LabHost: Sendable {
    /// Its name.
    public let name: String
    /// The lab that it belongs to.
    public let specification: LabSpecification

    private var paths: LabPaths { LabPaths(lab: specification.name) }

    init(_ name: String, _ specification: LabSpecification) {
        self.name = name
        self.specification = specification
    }

    /// Its IPv4 address on a network.
    public func address(on network: LabNetwork) -> String { specification.address(of: name, on: network) }

    /// Its IPv6 address on the service network.
    public var address6: String { specification.address6(of: name) }

    /// The process outside that is PID 1 inside; nil while the power is off.
    public var firstProcess: ProcessIdentity? {
        HostPower(specification: specification, paths: paths, machine: name).firstProcess
    }

    /// Whether the power is on.
    public var isOn: Bool { firstProcess != nil }

    /// Describes a program that runs on this host, as root, in `/`, with the host's own environment.
    ///
    /// - Parameter words: The program, looked for in the host's PATH, and its arguments.
    /// - Returns: the call, to be completed and started by the caller.
    /// - Throws: when the power is off.
    public func invocation(_ words: [String]) throws(LabError) -> Invocation {
        guard let first = firstProcess else { throw .isOff(host: name) }
        guard let nsenter = Invocation.find("nsenter") else { throw .failed("the program “nsenter” is not installed") }
        var call = Invocation(
            nsenter,
            ["--target=\(first.pid)", "--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/", "--"] + words
        )
        call.environment = Self.environment(specification)
        return call
    }

    /// Runs a program on this host to its end.
    ///
    /// - Parameters:
    ///   - words: The program and its arguments.
    ///   - input: What it reads.
    ///   - timeout: After this it is killed.
    /// - Returns: How it ended and what it wrote.
    /// - Throws: when the power is off, or the program could not be started.
    public func run(
        _ words: [String],
        input: [UInt8] = [],
        timeout: Duration = .seconds(20)
    ) throws(LabError) -> RunResult {
        var call = try invocation(words)
        if !input.isEmpty { call.input = .bytes(input) }
        return try LabError.wrap { () throws(SystemError) in try ChildProcess.run(call, timeout: timeout) }
    }

    /// Starts a program on this host and leaves it running; the caller drives, stops or detaches it.
    public func start(_ words: [String]) throws(LabError) -> ChildProcess {
        let call = try invocation(words)
        return try LabError.wrap { () throws(SystemError) in try ChildProcess(call) }
    }

    /// What every program on a host finds in its environment: the product's programs come first.
    static func environment(_ specification: LabSpecification) -> [String: String] {
        let directory = specification.executable.lastIndex(of: "/").map { specification.executable[..<$0] } ?? "/"
        var environment = [
            "PATH": "\(directory):\(Invocation.searchPath)",
            "HOME": "/root",
            "LANG": "C.UTF-8",
        ]
        environment["TERM"] = Invocation.currentEnvironment()["TERM"]
        return environment
    }
}
