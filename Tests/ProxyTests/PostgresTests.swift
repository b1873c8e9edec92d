import Balancing
import CLinux
import ClusterModel
import Foundation
import LinuxIO
import ProxyControl
import Testing

/// A PostgreSQL server of this machine's, in a directory of its own; it trusts everybody but one.
private final class PostgresServer {
    /// Where the programs are; nil where there are none.
    static let programs: String? = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.sorted().map { "\(root)/\($0)/bin" }.last { access("\($0)/initdb", X_OK) == 0 }
    }()

    let endpoint: Endpoint
    private let directory: String
    private let process = Process()

    init(_ programs: String) throws {
        endpoint = try TestNet.freeEndpoint()
        directory = "/tmp/haven-postgres-\(getpid())"
        // The server refuses to run as root.
        let script = """
            set -e; as=; mkdir -p "$1"
            if [ $(id -u) = 0 ]; then
                chown postgres "$1"; as='setpriv --reuid=postgres --regid=postgres --clear-groups'
            fi
            $as "$2/initdb" -D "$1/data" -A trust -U haven --no-sync --no-instructions >"$1/log" 2>&1
            printf 'host all refused 0.0.0.0/0 reject\\nhost all all 0.0.0.0/0 trust\\n' >"$1/data/pg_hba.conf"
            exec $as "$2/postgres" -D "$1/data" -h "$3" -p "$4" -k "$1" -c fsync=off -c log_connections=on \
                -c log_disconnections=on >"$1/log" 2>&1
            """
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", script, "sh", directory, programs, "\(endpoint.address)", "\(endpoint.port)",
        ]
        try process.run()
    }

    var log: String { (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? "" }

    /// Ends it with all that it wrote.
    func stop() {
        // Immediate shutdown.
        kill(process.processIdentifier, SIGQUIT)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

@Suite
struct PostgresTests {
    @Test(.enabled(if: PostgresServer.programs != nil, "needs PostgreSQL on this machine"))
    func `A real server passes for a role that it lets in, and tells why not for another`() throws {
        let server = try PostgresServer(try #require(PostgresServer.programs))
        defer { server.stop() }
        let proxy = try TestProxy(threads: 1)
        let bind = try TestNet.freeEndpoint()
        func plan(_ user: String) -> PlannedListener {
            var listener = Listener(name: "db", binds: [bind], mode: .tcp)
            listener.serviceCheck = .postgres(user: user)
            var entry = Server(name: "s1", endpoint: server.endpoint)
            entry.check = ServerCheck()
            entry.check?.inter = 200
            listener.servers = [entry]
            return PlannedListener(listener)
        }
        try proxy.apply([plan("refused")])
        let end = Clock.monotonic() + .seconds(60)
        var report: CheckReport?
        while Clock.monotonic() < end, report?.info?.contains("refused") != true {
            report = try proxy.listener("db").servers[0].lastCheck
            _ = haven_poll_one(-1, 0, 20)
        }
        #expect(report?.info?.hasPrefix("FATAL: pg_hba.conf rejects connection") == true, "\(server.log)")
        #expect(report?.result == .wrongStatus)
        // The role is there, a database of its name is not: that is told after the login, and no matter of health.
        try proxy.apply([plan("haven")])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up }, "\(server.log)")
        #expect(try proxy.listener("db").servers[0].lastCheck?.result == .passed)
        #expect(!server.log.contains("invalid length of startup packet"))
    }
}
