import AgentAPI
import CLinux
import ClusterModel
import Testing

@testable import FenceRunner

@Suite(.timeLimit(.minutes(1)))
struct ScriptedAgentTests {
    private let scratch: Scratch
    private let stand: Stand

    init() throws {
        scratch = try Scratch()
        try ScriptedAgent.install(in: scratch)
        stand = try Stand(searchPath: ["/nonexistent", scratch.path])
    }

    @Test
    func `Off is verified twice, then the node is powered on again`() async {
        let events = await stand.fence([ScriptedAgent.device(scratch)], powersOn: true)
        #expect(events.verifiedBy == "dev")
        #expect(events.last == .poweredOn(order: 1, failure: nil))
        #expect(scratch.read("log") == "off n1 plug-1\nstatus n1 plug-1\nstatus n1 plug-1\non n1 plug-1\n")
        #expect(await stand.power(ScriptedAgent.device(scratch)) == .on)
    }

    @Test
    func `A password is neither on the command line nor in the environment nor in an error`() async {
        let events = await stand.fence([ScriptedAgent.device(scratch, fault: "refuse")])
        #expect(events.failure == "dev: off returned 1: login with **** was refused")
        #expect(scratch.read("seen").contains("fence_scripted"))
        #expect(!scratch.read("seen").contains("s3cret-Pw"))
    }

    @Test
    func `An agent that hangs is killed at the deadline with all its processes`() async throws {
        let events = await stand.fence([ScriptedAgent.device(scratch, fault: "hang")], seconds: 3)
        let reason = try #require(events.failure)
        #expect(reason.contains("off got no answer within"))
        let orphan = try #require(Int32(scratch.read("orphan").dropLast()))
        var looks = 0
        while !isGone(orphan), looks < 1000 {
            // Bounded poll: killed with the rest of the group, each at its own pace.
            try await Task.sleep(for: .milliseconds(10))
            looks += 1
        }
        #expect(isGone(orphan))
    }

    @Test
    func `Megabytes of output are survived`() async {
        let events = await stand.fence([ScriptedAgent.device(scratch, fault: "flood")])
        #expect(events.verifiedBy == "dev")
    }

    @Test
    func `A fence that is withdrawn before its agent runs never sends off`() async throws {
        // Until the file is there, the agent is still saying what it is.
        let description = "<resource-agent name='late'><actions><action name='off'/></actions></resource-agent>"
        let waiting = "#!/bin/sh\nread first\n[ \"$first\" = action=metadata ] || exec \(scratch.path)/late\n"
        try scratch.write(
            "fence_late",
            waiting + "read go <'\(scratch.path)/go'; echo \"\(description)\"\n",
            mode: 0o700
        )
        try scratch.write("late", "#!/bin/sh\necho sent >>'\(scratch.path)/log'\n", mode: 0o700)
        #expect(mkfifo("\(scratch.path)/go", 0o600) == 0)
        var device = ScriptedAgent.device(scratch)
        device.agent = "fence_late"
        stand.runner.fence(FenceOrder(id: 1, node: "n1", devices: [device], timeout: .seconds(30), powersOn: false))
        stand.runner.withdraw(order: 1)
        // Opening it for writing waits for the agent, which waits for us.
        try scratch.write("go", "now\n")
        var reason: String?
        for await event in stand.events {
            reason = [event].failure
            break
        }
        #expect(try #require(reason).contains("off was not sent; withdrawn"))
        #expect(scratch.read("log").isEmpty)
    }

    @Test(arguments: [
        ("strange", "off returned 77"), ("die", "off was killed by signal 9"),
        ("stuck", "the power was on again after off"),
    ])
    func `Anything but a verified off is a failure`(fault: String, words: String) async throws {
        let events = await stand.fence([ScriptedAgent.device(scratch, fault: fault)])
        #expect(try #require(events.failure).contains(words))
    }

    @Test
    func `The second device is tried when the first fails`() async {
        let devices = [
            ScriptedAgent.device(scratch, name: "first", fault: "strange"),
            ScriptedAgent.device(scratch, name: "second"),
        ]
        #expect(await stand.fence(devices).verifiedBy == "second")
    }

    @Test
    func `Agents that are not there, and names that are paths, are refused by name`() async throws {
        var device = ScriptedAgent.device(scratch)
        device.agent = "fence_nowhere"
        let reason = try #require(await stand.fence([device]).failure)
        #expect(reason == "dev: the fence agent \"fence_nowhere\" is not in /nonexistent, \(scratch.path)")
        device.agent = "../../bin/sh"
        #expect(try #require(await stand.fence([device]).failure).contains("is not in"))
        #expect(await stand.fence([]).failure == "no fence device for this node")
    }

    @Test
    func `A check logs in and asks nothing of the power`() async {
        let passed = await stand.check(ScriptedAgent.device(scratch))
        #expect((try? passed.get()) != nil)
        #expect(scratch.read("log") == "monitor  \n")
        let refused = await stand.check(ScriptedAgent.device(scratch, fault: "refuse"))
        #expect(refused == .failure(FenceFailure("monitor returned 1: login with **** was refused")))
    }

    @Test
    func `An agent describes itself, again after it was replaced`() async throws {
        func describe() async throws -> AgentMetadata {
            try await withCheckedContinuation { continuation in
                stand.runner.describe(agent: ScriptedAgent.name) { continuation.resume(returning: $0) }
            }.get()
        }
        let first = try await describe()
        let device = ScriptedAgent.device(scratch)
        #expect(first.violations(of: device) == ["fence_scripted needs the parameter \"must\" ()"])
        try scratch.write("new", "#!/bin/sh\necho '<resource-agent name=\"newer\"/>'\n", mode: 0o700)
        #expect(rename("\(scratch.path)/new", "\(scratch.path)/\(ScriptedAgent.name)") == 0)
        let newer = try await describe()
        #expect(newer.name == "newer")
        #expect(newer.violations(of: device).suffix(2).allSatisfy { $0.hasSuffix("so it cannot fence") })
    }
}

/// Whether a process is gone, or dead and only waits to be collected.
private func isGone(_ pid: Int32) -> Bool {
    guard haven_kill(pid, 0) == 0 else { return true }
    return ProcessState(of: pid) == .dead
}
