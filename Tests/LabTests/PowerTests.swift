import FoundationEssentials
import Lab
import Processes
import Testing

/// The power switches as a cluster uses them: over IPMI, by fence agents, from inside another host.
@Suite(.serialized, .enabled(if: LabFixture.isPossible, LabFixture.condition))
struct PowerTests {
    @Test
    func `ipmitool switches a host's power through its BMC`() throws {
        try LabFixture.withLab("tipmi") { lab in
            let one = try lab.host("ctl1")
            let two = try lab.host("ctl2")
            func power(_ action: String) throws -> String {
                try LabFixture.shell(
                    one,
                    "ipmitool -I lanplus -C 3 -H ctl2-bmc -U haven -f /etc/haven-lab/ctl2.password chassis power \(action)"
                )
            }
            #expect(try power("status") == "Chassis Power is on\n")
            _ = try power("off")
            #expect(!two.isOn)
            #expect(try power("status") == "Chassis Power is off\n")
            _ = try power("on")
            #expect(two.isOn)
            let first = try #require(two.firstProcess)
            _ = try power("reset")
            #expect(two.firstProcess != first && two.isOn)
            let wrong = try one.run(
                ["ipmitool", "-I", "lanplus", "-C", "3", "-N", "1", "-R", "0", "-H", "ctl2-bmc", "-U", "haven"]
                    + ["-f", "/etc/haven-lab/ctl1.password", "chassis", "power", "off"],
                timeout: LabFixture.patience
            )
            #expect(!wrong.isSuccess)
            #expect(two.isOn)
        }
    }

    @Test
    func `fence_ipmilan powers a host off and believes it`() throws {
        try LabFixture.withLab("tfence") { lab in
            let options = "action=off\nip=ctl2-bmc\nlanplus=1\ncipher=3\nusername=haven\npower_wait=0\n"
            let result = try LabFixture.shell(
                try lab.host("ctl1"),
                "{ printf '\(options.replacing("\n", with: "\\n"))password='; cat /etc/haven-lab/ctl2.password; } | fence_ipmilan"
            )
            #expect(result.contains("Success"))
            #expect(try !lab.host("ctl2").isOn)
        }
    }

    @Test
    func `fence_lab_pdu follows the rules for fence agents`() throws {
        try LabFixture.withLab("tpdu") { lab in
            let one = try lab.host("ctl1")
            let two = try lab.host("ctl2")
            func agent(_ options: String) throws -> RunResult {
                try one.run(["fence_lab_pdu"], input: Array(options.utf8), timeout: LabFixture.patience)
            }
            #expect(try agent("action=monitor\n").exit == .exited(code: 0))
            #expect(try agent("action=list\n").output.text == "ctl1,\nctl2,\n")
            #expect(
                try agent("# a comment\n\nunknown=1\noption=status\nport=ctl2\nnodename=x").exit == .exited(code: 0)
            )
            #expect(try agent("action=off\nplug=ctl2\n").isSuccess)
            #expect(!two.isOn)
            #expect(try agent("action=off\nplug=ctl2\n").isSuccess)
            #expect(try agent("action=status\nplug=ctl2\n").exit == .exited(code: 2))
            #expect(try agent("action=reboot\nplug=ctl2\n").isSuccess)
            #expect(two.isOn)
            for (options, reason) in [
                ("action=off\nplug=nobody\n", "no host “nobody”"), ("action=off\n", "no outlet"),
                ("action=off\nplug=ctl2\npassword=wrong\n", "wrong password"),
                ("action=dance\n", "unrecognised action"),
                ("action=off\nplug=ctl2\nipport=1\n", "refused"),
                ("action=off\nplug=ctl2\nipport=x\n", "must be a number"),
            ] {
                let result = try agent(options)
                #expect(result.exit == .exited(code: 1))
                #expect(result.errors.text.contains(reason), "\(result.errors.text)")
            }
            #expect(two.isOn)
        }
    }

    @Test
    func `The power service outlives nonsense`() throws {
        try LabFixture.withLab("tnoise", hosts: ["ctl1"]) { lab in
            let host = try lab.host("ctl1")
            try LabFixture.shell(
                host,
                """
                head -c 100000 /dev/zero | socat -u STDIN TCP:pdu:8470 || true
                echo | socat -t 5 STDIO TCP:pdu:8470 || true
                printf 'a\\nb\\nc\\n' | socat -t 5 STDIO TCP:pdu:8470
                fence_lab_pdu -o monitor
                """
            )
            #expect(host.isOn)
        }
    }

    @Test
    func `No password is on any command line, and their files are root's alone`() throws {
        try LabFixture.withLab("tsecret", hosts: ["ctl1"]) { lab in
            let file = lab.controllerPasswordFile(of: "ctl1")
            let password = try String(contentsOfFile: file, encoding: .utf8)
            #expect(password.count >= 16)
            #expect(try LabFixture.run("stat", ["-c", "%a", file]).output.text == "600\n")
            #expect(try !LabFixture.run("ps", ["-eo", "args"]).output.text.contains(password))
            let inside = try LabFixture.shell(
                try lab.host("ctl1"),
                "stat -c %a /etc/haven-lab/*; cat /etc/haven-lab/ctl1.password"
            )
            let lines = inside.split(separator: "\n")
            #expect(lines.count > 2 && lines.dropLast().allSatisfy { $0 == "600" })
            #expect(lines.last.map(String.init) == password.split(separator: "\n").first.map(String.init))
        }
    }
}

/// The fence agent's description of itself.
@Suite
struct FenceAgentTests {
    @Test(.enabled(if: FileManager.default.fileExists(atPath: Self.schema), "needs fence-agents-common"))
    func `The metadata of fence_lab_pdu is valid`() throws {
        let agent = try #require(LabSpecification.fenceAgentsDirectory(above: LabFixture.haven)) + "/fence_lab_pdu"
        let metadata = try LabFixture.run(agent, [], input: "action=metadata\n").output.text
        #expect(metadata.contains("<resource-agent name=\"fence_lab_pdu\""))
        let check = try LabFixture.run("xmllint", ["--noout", "--relaxng", Self.schema, "-"], input: metadata)
        #expect(check.isSuccess, "\(check.errors.text)")
    }

    private static let schema = "/usr/share/cluster/relaxng/metadata.rng"
}
