import Balancing
import ClusterModel
import ProxyControl
import Testing

/// How servers are picked, on real connections.
@Suite
struct BalanceTests {
    private func start(
        _ names: [String] = ["s1", "s2", "s3"],
        mode: ListenerMode = .http,
        threads: Int = 2,
        _ change: @escaping (inout Listener) -> Void
    ) throws -> (TestProxy, PlannedListener, Endpoint) {
        let origins = try names.map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: threads)
        proxy.origins = origins
        let planned = PlannedListener(.test(endpoint, origins, mode: mode, change))
        try proxy.apply([planned])
        return (proxy, planned, endpoint)
    }

    private func served(_ endpoint: Endpoint, _ path: String = "/x") throws -> String? {
        try TestClient(endpoint).get(path)["x-server"]
    }

    @Test
    func `leastconn fills up who has least, over all threads`() throws {
        let (proxy, _, endpoint) = try start(mode: .tcp) {
            $0.balance = .leastConnections
            $0.servers[2].weight = 2
        }
        var clients: [TestClient] = []
        for count in 1...8 {
            clients.append(try TestClient(endpoint))
            // The next pick shall see this connection.
            #expect(try proxy.eventually { $0.listeners[0].servers.reduce(0) { $0 + $1.connections } == count })
        }
        #expect(try proxy.listener("raw").servers.map(\.connections) == [2, 2, 4])
    }

    @Test
    func `random serves everybody, and first only the first that serves`() throws {
        let (proxy, planned, endpoint) = try start { $0.balance = .random }
        let seen = try Set((0..<60).map { _ in try served(endpoint) })
        #expect(seen == ["s1", "s2", "s3"])
        var changed = planned
        changed.listener.balance = .first
        changed.nodes = ["s1": .lost]
        try proxy.apply([changed])
        for _ in 0..<6 { #expect(try served(endpoint) == "s2") }
    }

    @Test(arguments: [HashType.mapBased, .consistent])
    func `source keeps a client at its server, until that one is gone`(type: HashType) throws {
        let (proxy, planned, endpoint) = try start {
            $0.balance = .source
            $0.hashType = type
        }
        let own = try #require(try served(endpoint))
        for _ in 0..<6 { #expect(try served(endpoint) == own) }
        var changed = planned
        changed.nodes = [own: .lost]
        try proxy.apply([changed])
        let other = try #require(try served(endpoint))
        #expect(other != own)
        for _ in 0..<3 { #expect(try served(endpoint) == other) }
        // Nothing checks it here, so it serves again as soon as its node is back.
        try proxy.apply([planned])
        #expect(try proxy.eventually { $0.listeners[0].servers.allSatisfy { $0.status == .up } })
        for _ in 0..<3 { #expect(try served(endpoint) == own) }
    }

    @Test(arguments: [HashType.mapBased, .consistent])
    func `uri keeps a path at its server, whatever its query`(type: HashType) throws {
        let (proxy, _, endpoint) = try start {
            $0.balance = .uri
            $0.hashType = type
        }
        defer { _ = proxy }
        var seen: Set<String> = []
        for number in 0..<40 {
            let own = try #require(try served(endpoint, "/object\(number)"))
            #expect(try served(endpoint, "/object\(number)?version=\(number)") == own)
            seen.insert(own)
        }
        #expect(seen == ["s1", "s2", "s3"])
    }

    @Test
    func `A backup serves only while nobody else does, one writer at a time`() throws {
        let (proxy, planned, endpoint) = try start(mode: .tcp) {
            $0.servers[1].isBackup = true
            $0.servers[2].isBackup = true
        }
        func expect(_ name: String, lost: [String]) throws {
            var changed = planned
            for server in lost { changed.nodes[server] = .lost }
            try proxy.apply([changed])
            for _ in 0..<4 { #expect(try served(endpoint) == name) }
        }
        try expect("s1", lost: [])
        try expect("s2", lost: ["s1"])
        try expect("s3", lost: ["s1", "s2"])
        try expect("s2", lost: ["s1", "s3"])
    }
}
