internal import ClusterModel
internal import Lab
internal import Processes

extension Stage {
    /// Makes a cluster of the lab's hosts, as an operator would, and gives it everything that the tour uses.
    func setUp() throws {
        guard let first = hosts.first else { throw TourError("a lab without hosts") }
        tell("\n== every host gets a server of its own: nginx on port \(Self.serverPort)")
        for host in hosts { try startServer(on: host) }
        tell("\n== a cluster")
        let nodes = try hosts.map { "\($0)=\(try lab.host($0).address(on: .heartbeat))" }
        try type(["haven", "cluster", "setup", "--start", "--name", Self.cluster] + nodes, on: first)
        tell("\n== what powers a node off")
        for host in hosts {
            try type(
                [
                    "haven", "stonith", "create", "ipmi-\(host)", "fence_ipmilan", "lanplus=1", "cipher=3",
                    "ip=\(lab.specification.controllerAddress(of: host))",
                    "username=\(LabSpecification.controllerUser)",
                    "password=@/etc/haven-lab/\(host).password", "pcmk_host_list=\(host)",
                ],
                on: first
            )
        }
        tell("\n== an address, and a process that runs beside it")
        try type(
            ["haven", "resource", "create", Self.addressResource, "IPaddr2", "ip=\(Self.address)", "cidr_netmask=24"],
            on: first
        )
        try type(
            [
                "haven", "resource", "create", Self.soloResource, "process",
                "command=/usr/bin/python3 -I -S \(Self.solo)",
            ],
            on: first
        )
        try type(
            [
                "haven", "constraint", "colocation", "add", Self.soloResource, "with", Self.addressResource,
                "score=INFINITY",
            ],
            on: first
        )
        tell("\n== two listeners on the address")
        let web = ["mode=http", "cookie=SERVERID insert indirect nocache"]
        try listener("web", Self.webPort, web, on: first) { ["cookie", $0, "check", "inter", "1s"] }
        try listener("stream", Self.streamPort, ["mode=tcp"], on: first) { _ in ["check", "inter", "1s"] }
    }

    /// Waits until every node follows the profile.
    func use(_ profile: TimingProfile) throws {
        guard profile != .lan, let first = hosts.first else { return }
        tell("\n== the profile \(profile.rawValue)")
        try type(["haven", "property", "set", "profile=\(profile.rawValue)"], on: first)
        try type(["haven", "property", "show", "--derived"], on: first)
    }

    private func listener(
        _ name: String,
        _ port: UInt16,
        _ settings: [String],
        on host: String,
        words: (String) -> [String]
    ) throws {
        try type(["haven", "lb", "listener", "create", name, "bind=\(Self.address):\(port)"] + settings, on: host)
        for server in hosts {
            let endpoint = "\(try lab.host(server).address(on: .service)):\(Self.serverPort)"
            try type(["haven", "lb", "server", "add", name, server, endpoint] + words(server), on: host)
        }
    }

    /// Writes a host's own server and the process that the cluster runs, and starts the server now and at every boot.
    private func startServer(on host: String) throws {
        let address = try lab.host(host).address(on: .service)
        try write("/etc/haven-lab/nginx.conf", Self.serverConfiguration(host: host, address: address), on: host)
        try write(Self.solo, Self.soloProgram, on: host)
        let boot = "/etc/haven/boot.d/nginx"
        try write(boot, "#!/bin/sh\nexec nginx -c /etc/haven-lab/nginx.conf\n", on: host)
        try run(["chmod", "755", boot], on: host)
        try lab.host(host).start([boot]).detach()
    }

    private func write(_ path: String, _ text: String, on host: String) throws {
        try run(["tee", path], on: host, input: text)
    }

    /// The answer names the host and repeats the number of the question.
    private static func serverConfiguration(host: String, address: String) -> String {
        let scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "  \($0)_temp_path /run/nginx-\($0);" }.joined(separator: "\n")
        return """
            daemon off;
            pid /run/nginx.pid;
            error_log /var/log/haven-nginx.log;
            worker_processes 1;
            events { worker_connections 1024; }
            http {
              access_log off;
            \(scratch)
              server {
                listen \(address):\(serverPort);
                default_type text/plain;
                location / { return 200 "\(host) $arg_id\\n"; }
              }
            }

            """
    }

    /// Where the process that the cluster runs on one host at a time is, on every host.
    static let solo = "/etc/haven-lab/solo.py"
    /// Its process id, on the host where it runs.
    static let soloProcessFile = "/run/haven-solo.pid"

    /// Answers as the servers do; it listens within some milliseconds of its start, so that the cluster is measured.
    private static let soloProgram = """
        import os, socket
        with open("\(soloProcessFile)", "w") as file: file.write(str(os.getpid()))
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", \(soloPort)))
        listener.listen(256)
        name = os.uname().nodename
        while True:
            client, _ = listener.accept()
            try:
                client.settimeout(1)
                words = client.recv(4096).split()
                number = words[1].split(b"id=")[-1].decode() if len(words) > 1 else "-"
                body = (name + " " + number + "\\n").encode()
                head = "HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(body)
                client.sendall(head.encode() + body)
            except OSError:
                pass
            finally:
                client.close()

        """
}
