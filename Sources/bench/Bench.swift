import CLinux
import ClusterModel
import FoundationEssentials
import LinuxIO
import Processes
import ProxyControl

/// The set-up: an nginx that serves small files on two ports, and one proxy at a time in front of it.
///
/// The proxy has a processor for itself; nginx and wrk share another one.
final class Bench {
    private let programs: Programs
    private let proxy: String
    private let directory: String
    private let origin: ChildProcess

    private static let front: UInt16 = 8080
    private static let origins: [UInt16] = [9001, 9002]
    private static let loads = (proxy: 0, rest: 1)

    init(programs: Programs, proxy: String) throws {
        self.programs = programs
        self.proxy = proxy
        directory = "/tmp/haven-bench-\(getpid())"
        try Self.makeDirectory(directory)
        try Self.makeDirectory("\(directory)/files")
        try Self.write(String(repeating: "x", count: 128), to: "\(directory)/files/128")
        try Self.write(Self.nginxConfiguration(directory), to: "\(directory)/nginx.conf")
        try Self.write(Self.haproxyConfiguration, to: "\(directory)/haproxy.cfg")
        let plan = try JSONEncoder().encode(Self.plan())
        try Self.write(String(decoding: plan, as: UTF8.self), to: "\(directory)/plan.json")
        origin = try ChildProcess(
            programs.pinned(Self.loads.rest, programs.nginx, ["-c", "\(directory)/nginx.conf", "-p", directory])
        )
        try Self.waitForPort(Self.origins[1], of: origin)
    }

    /// Stops nginx and removes the files.
    func close() {
        _ = try? origin.stop(.terminate(grace: .seconds(3)))
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// One turn: starts the proxy, warms it up, measures it, stops it.
    func sample(_ system: System, _ workload: Workload, seconds: Int) throws -> Sample {
        let invocation =
            switch system {
            case .haven:
                programs.pinned(
                    Self.loads.proxy,
                    proxy,
                    ["--standalone", "\(directory)/plan.json", "--threads", "1", "--user", "nobody"]
                )
            case .haproxy:
                programs.pinned(Self.loads.proxy, programs.haproxy, ["-db", "-f", "\(directory)/haproxy.cfg"])
            }
        let child = try ChildProcess(invocation)
        defer { _ = try? child.stop(.terminate(grace: .seconds(3))) }
        try Self.waitForPort(Self.front, of: child)
        let idle = try ProcessUsage(pid: child.pid)
        _ = try load(workload, seconds: 1)
        let before = try ProcessUsage(pid: child.pid)
        let result = try load(workload, seconds: seconds)
        let after = try ProcessUsage(pid: child.pid)
        return Sample(result, before: before, after: after, idleBytes: idle.residentBytes)
    }

    private func load(_ workload: Workload, seconds: Int) throws -> LoadResult {
        var arguments = ["-t1", "-c50", "-d\(seconds)s", "--latency"]
        for field in workload.fields { arguments += ["-H", field] }
        arguments.append("http://127.0.0.1:\(Self.front)\(workload.path)")
        let invocation = programs.pinned(Self.loads.rest, programs.wrk, arguments)
        let run = try ChildProcess.run(invocation, timeout: .seconds(Int64(seconds) + 20))
        guard run.isSuccess, let result = LoadResult(run.output.text) else {
            throw BenchmarkError("wrk: \(run.output.text) \(run.errors.text)")
        }
        guard result.errors == 0 else { throw BenchmarkError("wrk saw wrong answers: \(run.output.text)") }
        return result
    }

    // MARK: Configurations, alike on both sides

    private static func plan() -> ProxyPlan {
        guard let loopback = IPAddress(bytes: [127, 0, 0, 1]) else { return ProxyPlan(generation: 0, listeners: []) }
        var listener = Listener(name: "web", binds: [Endpoint(address: loopback, port: front)], mode: .http)
        listener.cookie = CookiePersistence(name: "SRV")
        listener.forwardFor = true
        for (index, port) in origins.enumerated() {
            var server = Server(name: "s\(index + 1)", endpoint: Endpoint(address: loopback, port: port))
            server.cookie = ["A", "B"][index]
            server.check = ServerCheck()
            listener.servers.append(server)
        }
        return ProxyPlan(generation: 1, listeners: [PlannedListener(listener)])
    }

    private static let haproxyConfiguration = """
        global
          maxconn 4000
          nbthread 1
        defaults
          mode http
          timeout connect 5s
          timeout client 60s
          timeout server 60s
          timeout http-request 10s
        listen web
          bind 127.0.0.1:\(front)
          balance roundrobin
          cookie SRV insert indirect nocache
          option forwardfor
          server s1 127.0.0.1:\(origins[0]) check cookie A
          server s2 127.0.0.1:\(origins[1]) check cookie B

        """

    private static func nginxConfiguration(_ directory: String) -> String {
        """
        daemon off;
        user root;
        worker_processes 1;
        pid \(directory)/nginx.pid;
        error_log stderr crit;
        events { worker_connections 4096; }
        http {
          access_log off;
          keepalive_requests 100000000;
          client_body_temp_path \(directory)/body;
          proxy_temp_path \(directory)/proxy;
          fastcgi_temp_path \(directory)/fastcgi;
          uwsgi_temp_path \(directory)/uwsgi;
          scgi_temp_path \(directory)/scgi;
          server {
            \(origins.map { "listen 127.0.0.1:\($0);" }.joined(separator: " "))
            root \(directory)/files;
          }
        }

        """
    }

    // MARK: Files and ports

    private static func makeDirectory(_ path: String) throws {
        try SystemError.check("mkdir", path) { mkdir(path, 0o755) == 0 ? 0 : -Int(haven_errno()) }
    }

    private static func write(_ text: String, to path: String) throws {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).writeAll(Array(text.utf8))
    }

    /// Waits until somebody listens, for a limited time; the child must live.
    private static func waitForPort(_ port: UInt16, of child: ChildProcess) throws {
        guard let loopback = IPAddress(bytes: [127, 0, 0, 1]) else { return }
        let end = Clock.monotonic() + .seconds(10)
        while Clock.monotonic() < end {
            let socket = try StreamSocket.connect(to: Endpoint(address: loopback, port: port))
            _ = haven_poll_one(socket.number, Int16(POLLOUT), 1000)
            if StreamSocket.error(of: socket.number) == 0 { return }
            let next = Clock.monotonic() + .milliseconds(20)
            guard try !child.wait(until: next, for: { $0.exit != nil }) else { break }
        }
        throw BenchmarkError("port \(port): nobody listens\n\(child.errors.text)")
    }
}
