import ClusterModel
import FoundationEssentials
import Lab
import LinuxIO
import Processes
import Testing

/// Building and removing, also when something goes wrong in between.
@Suite(.serialized, .enabled(if: LabFixture.isPossible, LabFixture.condition))
struct UpDownTests {
    /// Starts `haven lab up` and waits until it has told that the first host is up.
    private func startUp(_ name: String) throws -> ChildProcess {
        let call = Invocation(LabFixture.haven, ["lab", "up", "--lab=\(name)"])
        let child = try ChildProcess(call)
        let isHalfWay = try child.wait(until: Clock.monotonic() + LabFixture.patience) {
            $0.output.text.contains("ctl1 is up")
        }
        try #require(isHalfWay, "\(child.output.text) \(child.errors.text)")
        return child
    }

    @Test
    func `What a crashed “up” left is removed by the next one`() throws {
        try Lab.down("tcrash")
        let child = try startUp("tcrash")
        defer { try? Lab.down("tcrash") }
        child.signalGroup(9)
        try child.wait(until: Clock.monotonic() + LabFixture.patience) { $0.exit != nil }
        try #require(child.exit == .killed(signal: 9))
        #expect(try !LabFixture.traces(of: "tcrash").isEmpty)
        #expect(throws: LabError.notUp(lab: "tcrash")) { try Lab.open("tcrash") }
        let again = try LabFixture.run(LabFixture.haven, ["lab", "up", "--lab=tcrash"])
        #expect(again.isSuccess, "\(again.errors.text)")
        #expect(again.output.text.contains("removing the remains"))
        let status = try Lab.open("tcrash").status
        #expect(status.machines.map(\.name) == ["ctl1", "ctl2", "ctl3", "client"])
        #expect(status.machines.map(\.isOn) == [true, true, true, true])
        try Lab.down("tcrash")
        #expect(try LabFixture.traces(of: "tcrash") == [])
        #expect(!FileManager.default.fileExists(atPath: "/run/haven-lab.tcrash.lock"))
    }

    @Test
    func `Interrupted, “up” removes everything`() throws {
        try Lab.down("tintr")
        let child = try startUp("tintr")
        child.signalGroup(2)
        try child.wait(until: Clock.monotonic() + LabFixture.patience) { $0.exit != nil }
        #expect(child.exit == .exited(code: 1))
        #expect(child.errors.text.contains("interrupted"))
        #expect(try LabFixture.traces(of: "tintr") == [])
    }

    @Test
    func `Two labs live side by side, and one name is taken once`() throws {
        try LabFixture.withLab("tone", hosts: ["ctl1"]) { one in
            try LabFixture.withLab("ttwo", hosts: ["ctl1"]) { two in
                try one.power(.off, "ctl1")
                #expect(try two.host("ctl1").isOn)
                #expect(throws: LabError.alreadyUp(lab: "tone")) { try Lab.up(one.specification) }
            }
            #expect(try one.host(LabSpecification.client).isOn)
        }
    }

    @Test
    func `A lab that is not there says how to get one`() throws {
        let result = try LabFixture.run(LabFixture.haven, ["lab", "status", "--lab=tnone"])
        #expect(result.exit == .exited(code: 1))
        #expect(result.errors.text.contains("haven lab up"))
        try Lab.down("tnone")
    }

    @Test
    func `Without root it says that it needs root`() throws {
        let words = ["--reuid=65534", "--clear-groups", LabFixture.haven, "lab", "up", "--lab=tnobody"]
        let result = try LabFixture.run("setpriv", words)
        #expect(!result.isSuccess)
        #expect(result.errors.text.contains("needs root"))
    }
}
