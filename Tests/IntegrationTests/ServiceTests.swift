import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Processes and OCF agents, run by the agent on real hosts.
    @Suite(.serialized, .lab("itservice"))
    struct ServiceTests {
        @Test
        func `An ocf Dummy and an ocf nginx run unmodified, and are restarted when they fail`() throws {
            let cluster = try TestCluster.current()
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false")
            try configureWeb(cluster)
            try cluster.haven(
                "ctl1",
                "resource",
                "create",
                "Dummy",
                "ocf:heartbeat:Dummy",
                "op",
                "monitor",
                "interval=1s"
            )
            try cluster.haven(
                "ctl1",
                "resource",
                "create",
                "Web",
                "ocf:heartbeat:nginx",
                "configfile=/etc/haven-lab/web.conf",
                "op",
                "monitor",
                "interval=1s"
            )
            let status = try cluster.waitUntil("both run", on: "ctl2") {
                $0.place(of: "Dummy") != nil && $0.place(of: "Web") != nil
            }
            let web = try #require(status.place(of: "Web"))
            #expect(try cluster.fetch("http://\(web):8081/") == "web of \(web)")
            #expect(status.resource("Dummy")?.agentName == "ocf::heartbeat:Dummy")

            // What happens behind the cluster's back is noticed by the monitor.
            try cluster.shell(web, "kill -9 $(cat /run/web.pid)")
            try cluster.waitUntil("the failure is counted", on: "ctl2") {
                $0.resource("Web")?.failures.isEmpty == false
            }
            let again = try cluster.waitUntil("it runs again", on: "ctl2") { $0.place(of: "Web") != nil }
            let place = try #require(again.place(of: "Web"))
            try cluster.wait("it serves again") { try cluster.fetch("http://\(place):8081/") == "web of \(place)" }

            try cluster.haven("ctl1", "resource", "disable", "Web")
            try cluster.waitUntil("it is stopped", on: "ctl2") { $0.resource("Web")?.state == .stopped }
            #expect(try cluster.fetch("http://\(place):8081/") == nil)
            try cluster.haven("ctl1", "resource", "cleanup", "Web")
            #expect(cluster.status("ctl1")?.resource("Web")?.failures.isEmpty == true)
            for name in ["Web", "Dummy"] { try cluster.haven("ctl1", "resource", "delete", name) }
            try cluster.waitUntil("both are gone", on: "ctl2") {
                $0.resource("Web") == nil && $0.resource("Dummy") == nil
            }
        }

        @Test
        func `The death of a process is noticed at once, and it is started again where it ran`() throws {
            let cluster = try TestCluster.current()
            try cluster.haven("ctl1", "resource", "create", "App", "process", "command=/bin/tail -f /etc/passwd")
            let status = try cluster.waitUntil("it runs", on: "ctl1") { $0.place(of: "App") != nil }
            let node = try #require(status.place(of: "App"))
            func process() throws -> String {
                try cluster.run(node, ["pgrep", "-f", "^/bin/tail -f /etc/passwd"]).output.text
            }
            let first = try process()
            #expect(!first.isEmpty)
            try cluster.shell(node, "kill -9 \(first)")
            try cluster.wait("a new process runs", within: .seconds(10)) { try !["", first].contains(process()) }
            let after = try cluster.waitUntil("the failure is counted", on: "ctl1") {
                $0.resource("App")?.failures.first?.count == 1 && $0.place(of: "App") != nil
            }
            #expect(after.place(of: "App") == node)
            try cluster.haven("ctl1", "resource", "delete", "App")
            try cluster.wait("it is stopped") { try process().isEmpty }
        }

        @Test
        func `A process that ignores the request to end is killed when its time is over`() throws {
            let cluster = try TestCluster.current()
            // An ignored signal stays ignored in the program that takes the script's place.
            let script = "#!/bin/sh\ntrap '' TERM\nexec tail -f /etc/haven-lab/stubborn\n"
            for host in cluster.lab.hosts {
                try TestCluster.shell(
                    host,
                    "cat >/etc/haven-lab/stubborn; chmod 755 /etc/haven-lab/stubborn",
                    input: script
                )
            }
            try cluster.haven(
                "ctl1",
                "resource",
                "create",
                "Stubborn",
                "process",
                "command=/etc/haven-lab/stubborn",
                "op",
                "stop",
                "timeout=2s"
            )
            let status = try cluster.waitUntil("it runs", on: "ctl1") { $0.place(of: "Stubborn") != nil }
            let node = try #require(status.place(of: "Stubborn"))
            try cluster.haven("ctl1", "resource", "disable", "Stubborn")
            try cluster.waitUntil("it is stopped", on: "ctl1", within: .seconds(15)) {
                $0.resource("Stubborn")?.state == .stopped
            }
            #expect(try !cluster.run(node, ["pgrep", "-f", "tail -f /etc/haven-lab/stubborn"]).isSuccess)
            try cluster.haven("ctl1", "resource", "delete", "Stubborn")
        }

        @Test
        func `Agents that hang, flood or demand the impossible hurt nobody and are told`() throws {
            let cluster = try TestCluster.current()
            for host in cluster.lab.hosts { try installAgents(host) }
            for (name, agent) in [
                ("Hanging", "hang"), ("Flooding", "flood"), ("Hopeless", "seventyseven"), ("Absent", "nothing"),
            ] {
                try cluster.haven(
                    "ctl1",
                    "resource",
                    "create",
                    name,
                    "ocf:haventest:\(agent)",
                    "op",
                    "start",
                    "timeout=2s",
                    "op",
                    "stop",
                    "timeout=2s"
                )
            }
            let status = try cluster.waitUntil("each is told", on: "ctl2") {
                $0.place(of: "Flooding") != nil && $0.resource("Hanging")?.failures.isEmpty == false
                    && $0.resource("Hopeless")?.failures.isEmpty == false
                    && $0.resource("Absent")?.failures.isEmpty == false
            }
            #expect(status.online.count == 3 && status.quorum.isQuorate)
            #expect(status.resource("Hopeless")?.failures.first?.reason.contains("77") == true, "\(status.resources)")
            #expect(status.resource("Absent")?.failures.first?.reason.contains("not installed") == true)
            #expect(try cluster.haven("ctl3", "status").contains("Failed actions"))
            for name in ["Hanging", "Flooding", "Hopeless", "Absent"] {
                try cluster.haven("ctl1", "resource", "delete", name)
            }
            try cluster.waitUntil("all are gone", on: "ctl2") { $0.resource("Hanging") == nil }
        }

        private func configureWeb(_ cluster: TestCluster) throws {
            for host in cluster.lab.hosts {
                let configuration = """
                    worker_processes 1;
                    pid /run/web.pid;
                    error_log /var/log/web.log;
                    events { worker_connections 64; }
                    http {
                      access_log off; default_type text/plain; client_body_temp_path /run/web-b;
                      proxy_temp_path /run/web-p; fastcgi_temp_path /run/web-f; uwsgi_temp_path /run/web-u;
                      scgi_temp_path /run/web-s;
                      server {
                        listen 8081;
                        location / { return 200 "web of \(host.name)"; }
                        location /nginx_status { return 200 "Active connections: 1"; }
                      }
                    }
                    """
                try TestCluster.shell(host, "cat >/etc/haven-lab/web.conf", input: configuration)
            }
        }

        /// Agents with one defect each; their stop works, as nothing could be said of a node where it does not.
        private func installAgents(_ host: LabHost) throws {
            let starts = [
                "hang": "exec tail -f /dev/null",
                "flood": "head -c 20000000 /dev/zero | tr '\\0' x; head -c 5000000 /dev/zero >&2; : >/run/flooded",
                "seventyseven": "exit 77",
            ]
            try TestCluster.shell(host, "mkdir -p /run/ocf/haventest")
            for (name, start) in starts {
                let agent = """
                    #!/bin/sh
                    case $1 in
                      start) \(start) ;;
                      stop) rm -f /run/flooded ;;
                      monitor) if [ \(name) = flood ] && [ -e /run/flooded ]; then exit 0; else exit 7; fi ;;
                      *) exit 3 ;;
                    esac

                    """
                try TestCluster.shell(
                    host,
                    "cat >/run/ocf/haventest/\(name); chmod 755 /run/ocf/haventest/\(name)",
                    input: agent
                )
            }
            // Beside those of the machine, and on this host alone.
            let place = "/usr/lib/ocf/resource.d"
            try TestCluster.shell(host, "mount -t overlay overlay -o ro,lowerdir=/run/ocf:\(place) \(place)")
        }
    }
}
