import ClusterModel
import Foundation
import LinuxIO
import ProxyControl
import Testing

/// Raw requests with what a strict server answers, run through a whole proxy.
@Suite
struct StrictnessTests {
    struct Case: Codable {
        var id: String
        var expect: String
        var payload: Data

        private enum CodingKeys: String, CodingKey {
            case id, expect
            case payload = "payload_base64"
        }

        /// Statuses that the expectation's text allows; 0 stands for a connection that closes without an answer.
        var allowed: Set<Int> {
            if expect == "any" { return Set(0...599) }
            if expect.hasPrefix("Reject/drop") { return [0, 400, 501] }
            var allowed: Set<Int> = []
            // What follows "warn" or "fail" is tolerated by the collection, not by us.
            for part in expect.split(whereSeparator: { ",;".contains($0) }) {
                if part.contains("warn") || part.contains("fail") { continue }
                for word in part.split(whereSeparator: { !$0.isNumber && !$0.isLetter }) {
                    if word.contains("2xx") { allowed.insert(200) }
                    if word.count == 3, let status = Int(word), status != 101 { allowed.insert(status) }
                }
                if part.contains("close") || part.contains("timeout") { allowed.formUnion([0, 400, 408]) }
            }
            // The rest is about what the origin does; the proxy passes such requests on.
            let isOriginMatter = ["405 + Allow header", "!101", "non-1xx response", "204 without CL"].contains(expect)
            return isOriginMatter ? [200] : allowed
        }
    }

    @Test(.enabled(if: StrictnessTests.cases != nil, "the collection of raw requests is not on this machine"))
    func `Every raw request is answered as a strict server does`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        try proxy.apply([
            PlannedListener(
                .test(endpoint, [origin]) {
                    $0.timeouts.httpRequest = 100
                    $0.timeouts.client = 100
                }
            )
        ])
        let cases = try #require(Self.cases)
        #expect(cases.count > 50)
        for test in cases {
            let request = Self.replace([UInt8](test.payload), "@@HOST@@", endpoint.description)
            let client = try TestClient(endpoint)
            try? client.send(request)
            var status = (try? client.response(toHead: test.id.contains("HEAD")))?.status ?? 0
            if status == 100 { status = (try? client.response())?.status ?? 0 }
            #expect(test.allowed.contains(status), "\(test.id): \(status), expected \(test.expect)")
        }
    }

    static let cases: [Case]? = {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for path in ["/\(here)/../shared/data/http/requests.json", "/\(here)/../../shared/data/http/requests.json"] {
            if let data = try? Data(contentsOf: URL(filePath: path)) {
                return try? JSONDecoder().decode([Case].self, from: data)
            }
        }
        return nil
    }()

    private static func replace(_ bytes: [UInt8], _ mark: String, _ text: String) -> [UInt8] {
        let mark = Array(mark.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at...].starts(with: mark) {
                result += Array(text.utf8)
                at += mark.count
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }
}
