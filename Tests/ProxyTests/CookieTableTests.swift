import Balancing
import ClusterModel
import Foundation
import ProxyControl
import Testing

/// What HAProxy was measured to do with persistence cookies, row by row, against a whole proxy and real servers.
@Suite
struct CookieTableTests {
    /// One measured row: `listener: situation -> status srv=… cookie=… flags=… set-cookie=[…] cc=[…]`.
    struct Row: CustomTestStringConvertible {
        var listener: String
        var situation: String
        var status: Int
        var server: String?
        var forwardedCookie: String?
        /// HAProxy's third and fourth flag: what the cookie was worth, and what the proxy did about it.
        var flags: String
        var setCookies: [String]
        var cacheControl: [String]

        var testDescription: String { "\(listener): \(situation)" }

        /// The servers of its listener, by their cookies.
        var origins: [String] {
            if listener == "bk_shared" { return ["A", "B", "BK"] }
            return ["A", listener.hasPrefix("bk") ? "BK" : "B"]
        }

        init?(_ line: Substring) {
            guard let arrow = line.range(of: " -> "), let colon = line.range(of: ": ") else { return nil }
            listener = String(line[..<colon.lowerBound])
            situation = line[colon.upperBound..<arrow.lowerBound].trimmingCharacters(in: .whitespaces)
            let result = String(line[arrow.upperBound...])
            guard let code = Int(result.prefix(3)), let flagsStart = result.range(of: "flags=") else { return nil }
            status = code
            flags = String(result[flagsStart.upperBound...].prefix(4).suffix(2))
            server = Self.value(of: "srv=", in: result, until: " ")
            forwardedCookie = result.contains("cookie=None") ? nil : Self.value(of: " cookie='", in: result, until: "'")
            setCookies = Self.list("set-cookie=[", result)
            cacheControl = Self.list("cc=[", result)
        }

        private static func value(of key: String, in text: String, until end: Character) -> String? {
            guard let start = text.range(of: key) else { return nil }
            return String(text[start.upperBound...].prefix { $0 != end })
        }

        private static func list(_ key: String, _ text: String) -> [String] {
            guard let start = text.range(of: key), let end = text[start.upperBound...].firstIndex(of: "]") else {
                return []
            }
            let parts = text[start.upperBound..<end].components(separatedBy: "', '")
            return parts.map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "'")) }.filter { !$0.isEmpty }
        }
    }

    /// What this version has; the other rows are about options that it refuses by name.
    private static let known: Set<String> = [
        "ins", "ins_ind", "ins_ind_redisp", "nocache", "deadup", "deadup_redisp", "deadup_r0",
        "bk_with_cookie", "bk_no_cookie", "bk_shared",
    ]

    static let rows: [Row] = {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for place in ["/\(here)/../shared", "/\(here)/../../shared"] {
            let path = "\(place)/data/haproxy/cookie-table.txt"
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            // A server that answers its check with 404 counts as failed here, there is no "stopping" yet.
            return text.split(separator: "\n").compactMap(Row.init).filter {
                known.contains($0.listener) && !$0.situation.contains("stopping")
            }
        }
        return []
    }()

    @Test(.enabled(if: !CookieTableRows.isMissing, "the measured table is not on this machine"))
    func `Cookies are worth and do what HAProxy was measured to do`() throws {
        #expect(Self.rows.count >= 50)
        for row in Self.rows { try check(row) }
    }

    private func check(_ row: Row) throws {
        let origins = try row.origins.map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        try proxy.apply([planned(row, origins, endpoint)])
        if row.listener.hasPrefix("deadup") { origins[0].stop() }
        // The second request of two looks at where the first one left round robin.
        if row.situation.hasSuffix("(2)") { _ = try TestClient(endpoint).ask(row.situation) }
        let response = try TestClient(endpoint).ask(row.situation)
        #expect(response.status == row.status, "\(row.testDescription)")
        guard row.status == 200 else { return }
        let served = try #require(response["x-server"], "\(row.testDescription)")
        // Only a valid cookie says which server it must be, or that there is no choice.
        if row.flags.first == "V" || row.listener.hasPrefix("bk") {
            #expect(row.server == ["A": "s1", "B": "s2", "BK": "bk"][served], "\(row.testDescription)")
        }
        let wanted = row.setCookies.map {
            $0.hasPrefix("SRV=") && !$0.contains("Expires") ? "SRV=\(served); path=/" : $0
        }
        #expect(response.all("set-cookie") == wanted, "\(row.testDescription)")
        #expect(response.all("cache-control") == row.cacheControl, "\(row.testDescription)")
        let lines = response.text.components(separatedBy: "\r\n")
        let forwarded = lines.first { $0.hasPrefix("Cookie: ") }.map { String($0.dropFirst(8)) }
        #expect(forwarded == row.forwardedCookie, "\(row.testDescription)")
    }

    private func planned(_ row: Row, _ origins: [Origin], _ endpoint: Endpoint) -> PlannedListener {
        var nodes: [String: NodeCondition] = [:]
        let listener = Listener.test(endpoint, origins) {
            var cookie = CookiePersistence(name: "SRV")
            cookie.indirect = row.listener != "ins"
            cookie.noCache = row.listener != "ins"
            $0.cookie = cookie
            $0.redispatch = row.listener.contains("redisp")
            $0.retries = row.listener == "deadup_r0" ? 0 : 2
            $0.timeouts.connect = 50
            let isBoth = row.situation.contains("both")
            for index in $0.servers.indices where $0.servers[index].name == "BK" {
                $0.servers[index].isBackup = true
                if row.listener == "bk_no_cookie" { $0.servers[index].cookie = nil }
                if row.listener == "bk_shared" { $0.servers[index].cookie = "A" }
            }
            for index in $0.servers.indices where index == 0 || isBoth {
                let whose = isBoth ? "both" : "s1"
                if row.situation.contains("\(whose) maint") { $0.servers[index].state = .maint }
                if row.situation.contains("\(whose) drain") { $0.servers[index].state = .drain }
                if row.situation.contains("\(whose) w0") { $0.servers[index].weight = 0 }
                if row.situation.contains("\(whose) down") { nodes[$0.servers[index].name] = .lost }
            }
        }
        return PlannedListener(listener, nodes: nodes)
    }
}

/// Apart, because an attribute of the suite cannot look into it.
enum CookieTableRows {
    static var isMissing: Bool { CookieTableTests.rows.isEmpty }
}

extension TestClient {
    /// One request as a row's situation describes it.
    fileprivate func ask(_ situation: String) throws -> TestResponse {
        var fields = ""
        if let cookie = Self.cookie(situation) { fields += "Cookie: \(cookie)\r\n" }
        if let set = situation.range(of: "server sets ") {
            let pair = situation[set.upperBound...].prefix { $0 != " " }
            fields += "X-Set: Set-Cookie: \(pair)\(pair.hasPrefix("SRV") ? "; Path=/" : "")\r\n"
        }
        if situation.contains("max-age") || situation.contains("Cache-Control:max-age") {
            fields += "X-Set: Cache-Control: max-age=60\r\n"
        } else if situation.contains("Cache-Control:private") {
            fields += "X-Set: Cache-Control: private\r\n"
        } else if situation.contains("Cache-Control:public") {
            fields += "X-Set: Cache-Control: public, max-age=5\r\n"
        } else if situation.contains("Last-Modified") || situation.contains("Expires") {
            let name = situation.contains("Expires") ? "Expires" : "Last-Modified"
            fields += "X-Set: \(name): Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        } else if situation.contains("ETag") {
            fields += "X-Set: ETag: x1\r\n"
        }
        guard situation.contains("POST") else { return try get("/x", fields) }
        try send("POST /x HTTP/1.1\r\nHost: a.test\r\n\(fields)Content-Length: 0\r\n\r\n")
        return try response()
    }

    private static func cookie(_ situation: String) -> String? {
        if situation.contains("no cookie") || situation.contains("new client") { return nil }
        if situation.hasPrefix("unknown cookie") { return "SRV=Z" }
        if situation.hasPrefix("empty cookie") { return "SRV=" }
        for marker in ["two cookies ", "duplicate "] where situation.hasPrefix(marker) {
            return String(situation.dropFirst(marker.count))
        }
        return situation.contains("cookie BK") ? "SRV=BK" : "SRV=A"
    }
}

extension TestResponse {
    /// All values of a field, in their order.
    fileprivate func all(_ name: String) -> [String] { fields.filter { $0.0 == name }.map(\.1) }
}
