import AgentAPI
import CLinux
import ClusterModel
import LinuxIO
import Processes
import Recovery
import Testing

@testable import ResourceRunner

private let hasAgents = access("/usr/lib/ocf/resource.d/heartbeat/Dummy", X_OK) == 0

/// An agent written by a test: does what its parameter says.
private let scripted = """
    #!/bin/sh
    case $OCF_RESKEY_fault-$1 in
      hang-start) sleep 1000 & echo $! >$OCF_RESKEY_dir/orphan; wait;;
      stubborn-start) trap '' TERM; echo up >$OCF_RESKEY_dir/orphan; sleep 1000; sleep 1000;;
      flood-*) head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo >&2
        echo ocf-exit-reason:after the flood >&2; exit 1;;
      strange-*) exit 77;;
      die-*) kill -9 $$;;
      missing-*) exit 5;;
      misfit-*) exit 2;;
      environment-start) env >$OCF_RESKEY_dir/env; pwd >>$OCF_RESKEY_dir/env; ls /proc/self/fd >$OCF_RESKEY_dir/fd; exit 0;;
      daemon-start) setsid sleep 1000 & echo $! >$OCF_RESKEY_dir/orphan; exit 0;;
      daemon-stop) echo ocf-exit-reason:will not >&2; exit 1;;
    esac
    [ "$1" = monitor ] && exit 7
    exit 0

    """

@Suite(.timeLimit(.minutes(1)))
struct OCFTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func scriptedStand() throws -> Stand {
        try Directories.make("\(scratch.path)/ocf/resource.d/test", mode: 0o755)
        try scratch.write("ocf/resource.d/test/Scripted", scripted, mode: 0o755)
        return try Stand(scratch, ocfRoot: "\(scratch.path)/ocf")
    }

    private func resource(_ fault: String) -> Resource {
        ocf(scratch.resource("r"), "test", "Scripted", ["fault": fault, "dir": scratch.path])
    }

    @Test(.enabled(if: hasAgents, "resource-agents is not installed"))
    func `ocf:heartbeat:Dummy lives its life`() async throws {
        let stand = try Stand(scratch)
        let dummy = ocf(scratch.resource("d"), "heartbeat", "Dummy", ["state": "\(scratch.path)/state"])
        let expected: [(OperationKind, OperationOutcome, Int32)] = [
            (.probe, .notRunning, 7), (.start, .succeeded, 0), (.probe, .succeeded, 0), (.monitor, .succeeded, 0),
            (.stop, .succeeded, 0), (.monitor, .notRunning, 7), (.stop, .succeeded, 0),
        ]
        for (kind, outcome, code) in expected {
            let end = try await stand.end(of: stand.begin(kind, dummy))
            #expect(end.outcome == outcome, "\(kind)")
            #expect(end.exitCode == code, "\(kind)")
        }
    }

    @Test(.enabled(if: hasAgents, "resource-agents is not installed"))
    func `What an agent gives as its reason is told`() async throws {
        let stand = try Stand(scratch)
        let address = ocf(scratch.resource("ip"), "heartbeat", "IPaddr2")
        guard case .failed(let reason) = try await stand.run(.start, address) else { throw CancellationError() }
        #expect(reason == "start failed: not configured (IP address (the ip parameter) is mandatory)")
    }

    @Test(.enabled(if: hasAgents, "resource-agents is not installed"))
    func `Agents describe themselves, and parameters are checked against that`() async throws {
        let stand = try Stand(scratch)
        func describe(_ type: String) async throws -> AgentMetadata {
            try await withCheckedThrowingContinuation { continuation in
                stand.runner.describe(provider: "heartbeat", type: type) { continuation.resume(with: $0) }
            }
        }
        let address = try await describe("IPaddr2")
        #expect(address.violations(of: ["ip": "10.0.0.1", "cidr_netmask": "24", "nic": "eth0"]) == [])
        let violations = address.violations(of: ["ipp": "10.0.0.1"])
        #expect(violations.first == "IPaddr2 has no parameter \"ipp\"; did you mean \"ip\"?")
        #expect(violations.count == 2)
        let file = try await describe("Filesystem")
        let settings = file.operationSettings(
            defaults: ResourceKind.ocf(.init(provider: "", type: "")).defaultOperations
        )
        #expect(settings == OperationSettings(start: 60_000, stop: 60_000, monitor: 40_000, interval: 20_000))
        for type in ["nginx", "apache", "pgsql", "galera", "db2", "LVM-activate", "podman", "nfsserver", "Xen"] {
            #expect(try await describe(type).actions.contains { $0.name == "monitor" }, "\(type)")
        }
        await #expect(throws: AgentFailure.self) { try await describe("NoSuchAgent") }
        await #expect(throws: AgentFailure.self) { try await describe("../heartbeat/Dummy") }
    }

    @Test(arguments: ["hang", "stubborn"])
    func `An agent that hangs is killed with all its children, and the operation timed out`(fault: String) async throws
    {
        let stand = try scriptedStand()
        #expect(try await stand.run(.start, resource(fault), within: .milliseconds(400)) == .timedOut)
        #expect(try await eventually { ProcessTable.members(of: resource(fault).name, group: nil).isEmpty })
    }

    @Test
    func `An operation that is cancelled ends at once and is told as cancelled`() async throws {
        let stand = try scriptedStand()
        let number = stand.begin(.start, resource("stubborn"))
        #expect(try await eventually { scratch.read("orphan") == "up\n" })
        stand.runner.cancel(number)
        #expect(try await stand.end(of: number).outcome == .cancelled)
        #expect(try await eventually { ProcessTable.members(of: resource("stubborn").name, group: nil).isEmpty })
        stand.runner.cancel(number)
        #expect(try await stand.run(.monitor, resource("")) == .notRunning)
    }

    @Test(arguments: [
        ("flood", "monitor failed: error (after the flood)"),
        ("strange", "monitor failed: exit code 77, which the OCF API does not know"),
        ("die", "monitor failed: the agent was killed by signal 9"),
        ("missing", "monitor failed: not installed"),
    ])
    func `Whatever else an agent does is a failure in clear words`(fault: String, words: String) async throws {
        let stand = try scriptedStand()
        #expect(try await stand.run(.monitor, resource(fault)) == .failed(words))
    }

    @Test
    func `What is not installed or does not fit does not run here`() async throws {
        let stand = try scriptedStand()
        #expect(try await stand.run(.probe, resource("missing")) == .notRunning)
        #expect(try await stand.run(.probe, resource("misfit")) == .notRunning)
        let absent = ocf(scratch.resource("a"), "test", "Absent")
        #expect(try await stand.run(.probe, absent) == .notRunning)
        #expect(try await stand.run(.stop, absent) == .succeeded)
        let path = "\(scratch.path)/ocf/resource.d/test/Absent"
        #expect(
            try await stand.run(.start, absent) == .failed("the agent ocf:test:Absent is not installed (\(path))")
        )
    }

    @Test
    func `Agents see Pacemaker's environment and nothing of ours`() async throws {
        setenv("HAVEN_TEST_LEAK", "1", 1)
        let stand = try scriptedStand()
        let resource = resource("environment")
        #expect(try await stand.run(.start, resource) == .succeeded)
        let lines = Set(scratch.read("env").split(separator: "\n").map(String.init))
        for line in [
            "OCF_RESOURCE_INSTANCE=\(resource.name)", "OCF_RESKEY_fault=environment", "OCF_RESKEY_CRM_meta_name=start",
            "OCF_RESKEY_CRM_meta_timeout=20000", "OCF_RESKEY_CRM_meta_on_node=n1", "OCF_RA_VERSION_MAJOR=1", "/",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!lines.contains("HAVEN_TEST_LEAK=1"))
        // Besides the three standard ones, ls has the directory open that it lists.
        #expect(scratch.read("fd") == "0\n1\n2\n3\n")
    }

    @Test
    func `A start that an agent of this node left unended is ended before its resource is looked at`() async throws {
        let first = try scriptedStand()
        let resource = resource("stubborn")
        _ = first.begin(.start, resource)
        #expect(try await eventually { scratch.read("orphan") == "up\n" })
        // As if the agent had died: its record stays, and what it had begun goes on.
        let path = "\(scratch.path)/run/resources/\(resource.name).operation"
        // The process is named in the record a moment after it began.
        let isNamed = try await eventually {
            readFile(path, limit: 4096).flatMap { ProcessRecord(resource: resource.name, parsing: $0)?.process } != nil
        }
        #expect(isNamed)
        let second = try Stand(scratch, ocfRoot: "\(scratch.path)/ocf")
        #expect(try await second.run(.probe, resource) == .notRunning)
        #expect(ProcessTable.members(of: resource.name, group: nil) == [])
        #expect(access("\(scratch.path)/run/resources/\(resource.name).operation", F_OK) != 0)
        // Its number may be another's now.
        try scratch.write("run/resources/\(resource.name).operation", "haven-process-1 \(getpid()) 1\n")
        let third = try Stand(scratch, ocfRoot: "\(scratch.path)/ocf")
        #expect(try await third.run(.probe, resource) == .notRunning)
    }

    @Test
    func `What an agent cannot stop is killed by its mark`() async throws {
        let stand = try scriptedStand()
        let resource = resource("daemon")
        #expect(try await stand.run(.start, resource) == .succeeded)
        #expect(try await stand.run(.stop, resource) == .failed("stop failed: error (will not)"))
        #expect(!ProcessTable.members(of: resource.name, group: nil).isEmpty)
        #expect(try await stand.run(.kill, resource) == .succeeded)
        #expect(ProcessTable.members(of: resource.name, group: nil) == [])
    }

    @Test
    func `Operations of one resource do not wait for those of another`() async throws {
        let stand = try scriptedStand()
        let slow = stand.begin(.start, resource("stubborn"))
        #expect(try await stand.run(.monitor, resource("")) == .notRunning)
        stand.runner.cancel(slow)
        #expect(try await stand.end(of: slow).outcome == .cancelled)
    }
}
