import ClusterModel
import FoundationEssentials
import Lab
import LinuxIO
import Processes
import Testing

/// What the tests of the lab share.
enum LabFixture {
    /// Far longer than anything here takes; reached only by a failing test.
    static let patience = Duration.seconds(30)

    /// The `haven` that was built beside these tests.
    static let haven: String = {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = test.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        // A test bundle may be a directory or a file.
        while let last = directory.last, last.hasSuffix(".xctest") || last == "Contents" { directory.removeLast() }
        return directory.joined(separator: "/") + "/haven"
    }()

    /// Root, with namespaces, and with `haven` at hand.
    static let isPossible: Bool = {
        guard FileManager.default.isExecutableFile(atPath: haven), let unshare = Invocation.find("unshare") else {
            return false
        }
        let call = Invocation(unshare, ["--net", "--mount", "--pid", "--fork", "true"])
        return (try? ChildProcess.run(call, timeout: patience).isSuccess) == true && Invocation.find("ipmi_sim") != nil
    }()

    static let condition: Comment = "needs root, namespaces, openipmi and the haven program beside the tests"

    /// Builds a lab of its own for one test and removes it in any case.
    static func withLab(_ name: String, hosts: [String] = ["ctl1", "ctl2"], _ body: (Lab) throws -> Void) throws {
        let specification = try LabSpecification(
            name: name,
            hosts: hosts,
            executable: haven,
            fenceAgents: LabSpecification.fenceAgentsDirectory(above: haven)
        )
        // A test that was killed in the middle may have left one.
        try Lab.down(name)
        let lab = try Lab.up(specification)
        defer { try? Lab.down(name) }
        try body(lab)
    }

    /// Runs a program of the machine itself.
    static func run(_ program: String, _ words: [String], input: String = "") throws -> RunResult {
        var call = Invocation(program.hasPrefix("/") ? program : try #require(Invocation.find(program)), words)
        if !input.isEmpty { call.input = .bytes(Array(input.utf8)) }
        return try ChildProcess.run(call, timeout: patience)
    }

    /// Runs a shell script on a host; it must succeed.
    @discardableResult
    static func shell(_ host: LabHost, _ script: String) throws -> String {
        let result = try host.run(["sh", "-euc", script], timeout: patience)
        try #require(result.isSuccess, "\(host.name): \(script): \(result.exit) \(result.errors.text)")
        return result.output.text
    }

    /// What the machine has of a lab: namespaces, files, processes.
    static func traces(of name: String) throws -> [String] {
        let namespaces = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        let files = try FileManager.default.contentsOfDirectory(atPath: "/run").filter { $0 == "haven-lab.\(name)" }
        let processes = try run("ps", ["-eo", "args"]).output.text.split(separator: "\n").map(String.init)
        return namespaces.filter { $0.hasPrefix("hvlab-\(name).") } + files
            + processes.filter { $0.contains("--lab=\(name) ") || $0.contains("/haven-lab.\(name)/") }
    }
}
