import ClusterModel
import FoundationEssentials
import Lab
import LinuxIO
import Processes
import Testing

/// Everything here runs the product's programs on hosts of a lab, one lab at a time.
@Suite(.serialized, .enabled(if: LabScope.isPossible, LabScope.condition))
struct IntegrationTests {}

/// Gives a suite a lab of its own, and removes it in any case.
struct LabScope: SuiteTrait, TestScoping {
    let name: String
    let hosts: [String]
    /// Whether the hosts are made a cluster before the first test.
    let isSetUp: Bool

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let specification = try LabSpecification(
            name: name,
            hosts: hosts,
            executable: Self.haven,
            fenceAgents: LabSpecification.fenceAgentsDirectory(above: Self.haven)
        )
        // A run that was killed in the middle may have left one.
        try Lab.down(name)
        let cluster = TestCluster(lab: try Lab.up(specification))
        defer { try? Lab.down(name) }
        if isSetUp { try cluster.setUp() }
        try await TestCluster.$inScope.withValue(cluster) { try await function() }
    }

    /// The `haven` that was built beside these tests.
    static let haven: String = {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = test.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        // A test bundle may be a directory or a file.
        while let last = directory.last, last.hasSuffix(".xctest") || last == "Contents" { directory.removeLast() }
        return directory.joined(separator: "/") + "/haven"
    }()

    static let condition: Comment =
        "needs root, namespaces, openipmi, sshd, nginx, and haven, havend and haven-proxy beside the tests"

    static let isPossible: Bool = {
        let programs = [haven, haven + "d", haven + "-proxy"]
        guard programs.allSatisfy(FileManager.default.isExecutableFile),
            ["ipmi_sim", "ssh", "sshd", "nginx", "curl", "socat"].allSatisfy({ Invocation.find($0) != nil }),
            let unshare = Invocation.find("unshare")
        else { return false }
        let call = Invocation(unshare, ["--net", "--mount", "--pid", "--fork", "true"])
        return (try? ChildProcess.run(call, timeout: .seconds(30)).isSuccess) == true
    }()
}

extension Trait where Self == LabScope {
    /// A lab with hosts `ctl1`, `ctl2` and so on; where `isSetUp`, the first three are the cluster `openstack`.
    static func lab(_ name: String, hosts: Int = 3, isSetUp: Bool = true) -> LabScope {
        LabScope(name: name, hosts: (1...hosts).map { "ctl\($0)" }, isSetUp: isSetUp)
    }
}
