import ClusterModel
import FoundationEssentials
import Lab
import LinuxIO
import Processes
import Testing

/// The lab itself: machines, wires and power, seen from inside and outside.
@Suite(.serialized, .enabled(if: LabFixture.isPossible, LabFixture.condition))
struct HostTests {
    @Test
    func `Machines reach each other by name, and have file systems, processes and names of their own`() throws {
        let before = try LabFixture.run("ip", ["-o", "address"]).output.text
        try LabFixture.withLab("thosts") { lab in
            for (from, to) in [("ctl1", "ctl2"), ("ctl2", "ctl1-heartbeat"), ("client", "ctl1"), ("ctl1", "client-v6")]
            {
                try LabFixture.shell(try lab.host(from), "ping -q -c 1 -W 5 \(to)")
            }
            let one = try lab.host("ctl1")
            #expect(try LabFixture.shell(one, "hostname; cat /etc/hostname; pwd") == "ctl1\nctl1\n/\n")
            try LabFixture.shell(
                one,
                "for d in /run /var/lib /var/log /dev/shm /etc; do echo 1 >$d/haven-lab-test; done"
            )
            let two = try LabFixture.shell(
                try lab.host("ctl2"),
                "ls /run/haven-lab-test /var/lib/haven-lab-test /dev/shm/haven-lab-test /etc/haven-lab-test 2>&1 || true"
            )
            #expect(two.split(separator: "\n").count { $0.contains("No such file") } == 4)
            #expect(!FileManager.default.fileExists(atPath: "/var/log/haven-lab-test"))
            // PID 1, the remote shell's daemon, the shell and ps: nothing of the machine or of the neighbours.
            let processes = try LabFixture.shell(one, "ps -e --no-headers").split(separator: "\n")
            #expect(processes.count { !$0.contains("sshd") } == 3)
            #expect(try LabFixture.shell(one, "ls /run").contains("haven-lab") == true)
            #expect(try LabFixture.shell(one, "ls /run/haven-lab.thosts 2>&1 || true").contains("No such file"))
            #expect(try LabFixture.run("ip", ["-o", "address"]).output.text == before)
        }
        #expect(try LabFixture.run("ip", ["-o", "address"]).output.text == before)
        #expect(try LabFixture.traces(of: "thosts") == [])
    }

    @Test
    func `What reaches the whole machine is out of reach in a host`() throws {
        try LabFixture.withLab("tsysrq", hosts: ["ctl1"]) { lab in
            let host = try lab.host("ctl1")
            let mounts = try LabFixture.shell(host, "cat /proc/self/mountinfo")
            let isThere = FileManager.default.fileExists(atPath: "/proc/sysrq-trigger")
            #expect(mounts.contains(" /proc/sysrq-trigger ") == isThere)
            for path in ["/proc/sys/kernel/panic", "/sys/class/net/lo/mtu"] {
                #expect(try !host.run(["sh", "-c", "echo 1 >>\(path)"]).isSuccess, "\(path) can be written")
            }
            try LabFixture.shell(host, "echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind")
        }
    }

    @Test
    func `Orphans are collected, and exit codes, input and output pass through`() throws {
        try LabFixture.withLab("texec", hosts: ["ctl1"]) { lab in
            let host = try lab.host("ctl1")
            let result = try host.run(["sh", "-c", "cat; echo e >&2; exit 41"], input: Array("in".utf8))
            #expect(result.output.text == "in")
            #expect(result.errors.text == "e\n")
            #expect(result.exit == .exited(code: 41))
            try LabFixture.shell(host, "(sh -c 'exit 3' & ) ; (true &)")
            let zombies = "while ps -eo stat= | grep -q Z; do :; done"
            try LabFixture.shell(host, zombies)
            let words = ["lab", "exec", "--lab=texec", "ctl1", "--", "sh", "-c", "cat; exit 17"]
            let command = try LabFixture.run(LabFixture.haven, words, input: "through")
            #expect(command.output.text == "through")
            #expect(command.exit == .exited(code: 17))
            #expect(throws: LabError.unknownHost("x", known: ["ctl1", "client"])) { try lab.host("x") }
        }
    }

    @Test
    func `The disk survives a power cycle, the rest does not, and what is enabled starts at boot`() throws {
        try LabFixture.withLab("tdisk", hosts: ["ctl1"]) { lab in
            let host = try lab.host("ctl1")
            try LabFixture.shell(
                host,
                """
                mkdir -p /var/lib/haven
                echo kept | tee /var/lib/haven/x /etc/haven/x /var/log/x >/run/x
                printf '#!/bin/sh\\necho $$ >/run/booted\\nexec sleep 1000\\n' >/etc/haven/boot.d/10-agent
                chmod 755 /etc/haven/boot.d/10-agent
                """
            )
            let first = try #require(host.firstProcess)
            try lab.power(.cycle, "ctl1")
            #expect(!first.isRunning)
            #expect(host.firstProcess != first)
            let wait = "until [ -s /run/booted ] && kill -0 $(cat /run/booted); do :; done"
            try LabFixture.shell(host, wait)
            #expect(try LabFixture.shell(host, "cat /var/lib/haven/x /etc/haven/x /var/log/x") == "kept\nkept\nkept\n")
            #expect(try !host.run(["cat", "/run/x"]).isSuccess)
            try lab.power(.off, "ctl1")
            try lab.power(.off, "ctl1")
            #expect(throws: LabError.isOff(host: "ctl1")) { _ = try host.run(["true"]) }
            try lab.power(.on, "ctl1")
            try lab.power(.on, "ctl1")
            #expect(host.isOn)
        }
    }

    @Test
    func `A power cut sends no farewell`() throws {
        try LabFixture.withLab("tcut") { lab in
            let server = ["socat", "-u", "TCP-LISTEN:9000,reuseaddr", "STDOUT"]
            var clients: [ChildProcess] = []
            var servers: [ChildProcess] = []
            for host in lab.hosts {
                servers.append(try host.start(server))
                try LabFixture.shell(host, "until ss -Hltn | grep -q :9000; do :; done")
                // The client only ever receives, so that it ends by a FIN or RST and by nothing else.
                clients.append(try lab.client.start(["socat", "-u", "TCP:\(host.name):9000", "STDOUT"]))
                let isConnected =
                    "until ss -Htn state established dst \(host.address(on: .service)) | grep -q .; do :; done"
                try LabFixture.shell(lab.client, isConnected)
            }
            // The counterpart first: a process that dies does say goodbye.
            try LabFixture.shell(try lab.host("ctl1"), "kill -9 $(pidof socat)")
            #expect(try clients[0].wait(until: Clock.monotonic() + LabFixture.patience) { $0.exit != nil })
            try lab.power(.off, "ctl2")
            let kept = try LabFixture.shell(lab.client, "ss -Htn state established dst 10.99.0.12")
            #expect(kept.split(separator: "\n").count == 1)
            clients[1].progress()
            #expect(clients[1].exit == nil)
        }
    }

    @Test
    func `Cables and partitions cut what they say, and no more`() throws {
        try LabFixture.withLab("twires", hosts: ["ctl1", "ctl2", "ctl3"]) { lab in
            func isCut(_ from: String, _ to: String) throws -> Bool {
                try !lab.host(from).run(["ping", "-q", "-c", "1", "-W", "1", to]).isSuccess
            }
            // Neighbours that were out of reach for a while are asked for again only after a pause of the kernel's, and
            // ping takes the kernel's "unreachable" meanwhile for an answer.
            func reaches(_ from: String, _ to: String) throws -> Bool {
                let end = Clock.monotonic() + LabFixture.patience
                repeat {
                    if try !isCut(from, to) { return true }
                } while Clock.monotonic() < end
                return false
            }
            #expect(throws: LabError.self) { try lab.partition([["ctl1", "ctl2"]]) }
            #expect(throws: LabError.self) { try lab.partition([["ctl1"], ["nobody"]]) }
            try lab.partition([["ctl1", "ctl2"], ["ctl3"]])
            #expect(lab.status.partition == "ctl1,ctl2/ctl3")
            #expect(try reaches("ctl1", "ctl2-heartbeat"))
            #expect(try isCut("ctl3", "ctl1-heartbeat"))
            #expect(try isCut("ctl1", "ctl3"))
            #expect(try reaches("client", "ctl3"))
            #expect(try reaches("ctl3", "ctl1-bmc"))
            try lab.heal()
            #expect(try reaches("ctl3", "ctl1-heartbeat"))
            try lab.setLink(of: "ctl2", up: false)
            #expect(try LabFixture.shell(try lab.host("ctl2"), "cat /sys/class/net/eth0/carrier") == "0\n")
            // The cable stays pulled over a power cycle; the management network has its own.
            try lab.power(.cycle, "ctl2")
            #expect(try isCut("ctl1", "ctl2"))
            #expect(try reaches("ctl1", "ctl2-management"))
            try lab.setLink(of: "ctl2", up: true)
            #expect(try reaches("ctl1", "ctl2"))
        }
    }
}
