import AdminAPI
import ClusterModel
import Lab
import LinuxIO
import Processes
import Testing

extension IntegrationTests {
    /// What the data plane of a running cluster does with clients that mean no good.
    @Suite(.serialized, .lab("itproxy"))
    struct ProxyInputTests {
        private static let address = TestCluster.virtualAddress
        private static let url = "http://\(address)/"

        @Test
        func `Garbage, oversized and slow heads hurt nobody, and every proxy tells what it sees`() throws {
            let cluster = try TestCluster.current()
            let active = try configure(cluster)
            let processes = try cluster.lab.hosts.map { try proxyProcesses($0) }
            // Sockets in the hundreds that send a byte now and then, while others get their answers.
            let slow = try cluster.lab.client.start(["python3", "-c", Self.slowClients, Self.address])
            let verdict = try cluster.run("client", ["python3", "-c", Self.hostileClient, Self.address])
            #expect(verdict.isSuccess, "\(verdict.errors.text)")
            for answer in verdict.output.text.split(separator: "\n") {
                let words = answer.split(separator: " ")
                #expect(words.count == 3 && words[1].split(separator: "/").contains(words[2]), "\(answer)")
            }
            #expect(verdict.output.text.split(separator: "\n").count == 9)
            for _ in 0..<20 {
                #expect(try cluster.fetch(Self.url)?.contains("dashboard of") == true)
            }
            _ = try slow.wait(until: Clock.monotonic() + TestCluster.patience) { $0.exit != nil }
            #expect(slow.output.text == "300 of 300 told\n", "\(slow.output.text)\(slow.errors.text)")

            #expect(try cluster.lab.hosts.map { try proxyProcesses($0) } == processes, "a proxy was started again")
            let status = try #require(cluster.status("ctl1"))
            #expect(status.online.count == 3 && status.quorum.isQuorate)
            #expect(status.place(of: "VirtualIP") == active)
            try checkStatus(cluster, active: active)
        }

        /// The proxy that has the clients counts them; the others check servers, too.
        private func checkStatus(_ cluster: TestCluster, active: String) throws {
            let idle = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            let own = try cluster.haven(idle, "lb", "status")
            #expect(own.contains("Seen by \(idle)\n") && !own.contains("Seen by \(active)"))
            let all = try cluster.haven(idle, "lb", "status", "--all")
            #expect(all.hasPrefix("Seen by \(idle)\n"), "\(all)")
            for name in ["ctl1", "ctl2", "ctl3"] { #expect(all.contains("Seen by \(name)\n"), "\(all)") }
            try cluster.lab.setLink(of: active, up: false)
            try cluster.wait("the lost node is told") {
                try cluster.haven(idle, "lb", "status", "--all").contains("\(active) gave no answer")
            }
            try cluster.lab.setLink(of: active, up: true)
            try cluster.waitUntil("all are back", on: idle) { $0.online.count == 3 }
        }

        private func configure(_ cluster: TestCluster) throws -> String {
            try WebServers.start(on: cluster)
            try cluster.createAddress(Self.address)
            try cluster.haven(
                "ctl1",
                "lb",
                "listener",
                "create",
                "web",
                "bind=\(Self.address):80",
                "mode=http",
                "timeout-http-request=2s"
            )
            for (index, name) in ["ctl1", "ctl2", "ctl3"].enumerated() {
                try cluster.haven("ctl1", "lb", "server", "add", "web", name, "10.99.0.\(11 + index):80", "check")
            }
            let status = try cluster.waitUntil("the address is somewhere", on: "ctl1") {
                $0.place(of: "VirtualIP") != nil
            }
            try cluster.wait("the service answers") { try cluster.fetch(Self.url) != nil }
            return try #require(status.place(of: "VirtualIP"))
        }

        private func proxyProcesses(_ host: LabHost) throws -> String {
            try host.run(["pgrep", "-f", "haven-proxy --control"]).output.text
        }

        /// Prints for each case: its name, the statuses that are right, the one that came; 0 for none.
        private static let hostileClient = #"""
            import random, socket, sys
            def answer(payload):
                with socket.create_connection((sys.argv[1], 80), timeout=10) as s:
                    try:
                        s.sendall(payload)
                        s.shutdown(socket.SHUT_WR)
                    except OSError: pass
                    data = b''
                    try:
                        while True:
                            more = s.recv(65536)
                            if not more: break
                            data += more
                    except OSError: pass
                    return data.split(b' ')[1].decode() if data.startswith(b'HTTP/1.') else '0'
            random.seed(1)
            head = b'GET / HTTP/1.1\r\nHost: a\r\n'
            cases = [
                ('noise', '400/0', b'\x00' + random.randbytes(20000)),
                ('tls', '400', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + random.randbytes(500)),
                ('verb', '400', b'G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n'),
                ('oversized', '431/0', head + b'X: ' + b'x' * 200000 + b'\r\n\r\n'),
                ('many', '431/0', head + b'X: x\r\n' * 20000 + b'\r\n'),
                ('nohost', '400', b'GET / HTTP/1.1\r\n\r\n'),
                ('both', '400', b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
                ('lengths', '400', b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
                ('fold', '400', head + b' folded: yes\r\n\r\n'),
            ]
            for name, right, payload in cases: print(name, right, answer(payload))
            """#

        /// Heads that never end, a byte at a time; each must be told so or be cut off, by the time-out that is set.
        private static let slowClients = #"""
            import select, socket, sys, time
            clients = {}
            for _ in range(300):
                s = socket.create_connection((sys.argv[1], 80), timeout=10)
                s.sendall(b'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')
                clients[s.fileno()] = s
            told, deadline = 0, time.monotonic() + 20
            while clients and time.monotonic() < deadline:
                ready = select.select(list(clients.values()), [], [], 0.2)[0]
                for s in ready:
                    try: data = s.recv(4096)
                    except OSError: data = b''
                    told += data.startswith(b'HTTP/1.1 408')
                    del clients[s.fileno()]
                    s.close()
                for s in clients.values():
                    try: s.send(b'x')
                    except OSError: pass
            print(told, 'of 300 told')
            """#
    }
}
