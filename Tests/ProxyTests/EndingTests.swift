import CLinux
import ClusterModel
import ProxyControl
import Testing

/// The end of a conversation reaches the other side, however the two sides' events interleave.
@Suite
struct EndingTests {
    private struct Rig {
        var proxy: TestProxy
        var raw: Endpoint
        var web: Endpoint
    }

    private func start(threads: Int) throws -> Rig {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let (raw, web) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy(threads: threads)
        proxy.origins = origins
        try proxy.apply([
            PlannedListener(.test(raw, origins, mode: .tcp) { $0.timeouts.connect = 5000 }),
            PlannedListener(.test(web, origins) { $0.timeouts.connect = 5000 }),
        ])
        return Rig(proxy: proxy, raw: raw, web: web)
    }

    @Test(arguments: [1, 2])
    func `No close of a server is lost, in either mode, whatever the interleaving`(threads: Int) throws {
        let rig = try start(threads: threads)
        let failures = FailureList()
        let workers = (0..<8).map { seed in
            TestThread { [raw = rig.raw, web = rig.web] in
                var chooser = Chooser(seed: UInt64(seed * 2 + threads))
                for round in 0..<40 {
                    let isRaw = chooser.next(2) == 0
                    let fault = chooser.converse(with: isRaw ? raw : web, isRaw: isRaw)
                    if let fault { failures.add("worker \(seed), round \(round), \(isRaw ? "tcp" : "http"): \(fault)") }
                }
            }
        }
        for worker in workers { worker.join() }
        #expect(failures.all.isEmpty, "\(failures.all)")
        #expect(try rig.proxy.eventually { $0.connections == 0 })
    }
}

/// A client that asks for bodies that end with the connection, varying all that moves events against each other.
private struct Chooser {
    private var state: UInt64

    init(seed: UInt64) { state = (seed + 1) &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    /// One conversation; nil when it went as it must.
    mutating func converse(with endpoint: Endpoint, isRaw: Bool) -> String? {
        let sizes = [0, 1, 5000, 65_530, 65_536, 200_000, 1_500_000]
        let size = sizes[next(sizes.count)]
        let pieces = 1 + next(3)
        let yields = next(4)
        let finishes = isRaw && next(3) == 0
        do {
            let client = try TestClient(endpoint)
            let request = Array("GET /until-close?\(size) HTTP/1.1\r\nHost: a.test\r\n\r\n".utf8)
            var at = 0
            for piece in 1...pieces {
                let end = request.count * piece / pieces
                try client.send(Array(request[at..<end]))
                at = end
                for _ in 0..<yields { sched_yield() }
            }
            if finishes { client.finish() }
            let response = try client.response()
            guard response.status == 200 else { return "status \(response.status) for \(size) bytes" }
            return response.body == Origin.pattern(size) ? nil : "\(response.body.count) instead of \(size) bytes"
        } catch { return "\(error) (\(size) bytes in \(pieces) pieces, finishes: \(finishes))" }
    }
}
