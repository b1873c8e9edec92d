import Balancing
import ClusterModel
import Foundation
import LinuxIO
import ProxyControl
import Testing

/// What HAProxy was measured to do with persistence cookies, row by row, against a whole proxy and real servers.
@Suite
struct CookieTableTests {
    /// One measured row: `listener: situation -> status srv=… cookie=… flags=… retries=… set-cookie=[…] cc=[…]`.
    struct Row: CustomTestStringConvertible {
        var listener: String
        var situation: String
        var status: Int
        var server: String?
        var forwardedCookie: String?
        /// HAProxy's third and fourth flag: what the cookie was worth, and what the proxy did about it.
        var flags: String
        /// With a `+` in front where another server was tried.
        var retries: String
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
            // These two had one port when they were measured, so that either could answer. Only one of them has flags.
            if listener == "passive" || listener == "ins_postonly" {
                listener = flags == "--" ? "passive" : "ins_postonly"
            }
            server = Self.value(of: "srv=", in: result, until: " ")
            retries = Self.value(of: "retries=", in: result, until: " ") ?? "0"
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

    /// What needs conditions on requests, which this version does not have.
    private static let refused: Set<String> = ["force-persist", "ignore-persist"]

    static let rows: [Row] = {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for place in ["/\(here)/../shared", "/\(here)/../../shared"] {
            let path = "\(place)/data/haproxy/cookie-table.txt"
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            // A server that answers its check with 404 counts as failed here, there is no "stopping" yet.
            return text.split(separator: "\n").compactMap(Row.init).filter {
                !refused.contains($0.listener) && !$0.situation.contains("stopping")
            }
        }
        return []
    }()

    @Test(.enabled(if: !CookieTableRows.isMissing, "the measured table is not on this machine"))
    func `Cookies are worth and do what HAProxy was measured to do`() throws {
        #expect(Self.rows.count >= 165)
        for row in Self.rows { try check(row) }
    }

    private func check(_ row: Row) throws {
        let origins = try row.origins.map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        try proxy.apply([planned(row, origins, endpoint)])
        if row.listener.hasPrefix("deadup") { origins[0].stop() }
        if Self.isDownByChecks(row) {
            let count = row.situation.contains("both") ? 2 : 1
            #expect(try proxy.eventually { $0.listeners[0].servers.count { $0.status == .down } == count })
        }
        var cookie = RowCookie(row)
        // The second request of two looks at where the first one left round robin.
        if row.situation.hasSuffix("(2)") { _ = try TestClient(endpoint).ask(row.situation, cookie) }
        if row.situation.hasPrefix("echo") {
            let first = try TestClient(endpoint).ask(row.situation, cookie)
            cookie.text = first["set-cookie"].map { String($0.prefix { $0 != ";" }) }
        }
        let response = try TestClient(endpoint).ask(row.situation, cookie)
        #expect(response.status == row.status, "\(row.testDescription)")
        let requests = row.situation.hasSuffix("(2)") || row.situation.hasPrefix("echo") ? 2 : 1
        let exchange = try #require(try proxy.exchanges(requests).last, "\(row.testDescription)")
        // HAProxy logs nothing of a cookie that is passive and no more.
        let letters = "\(exchange.clientCookie.letter)\(exchange.serverCookie.letter)"
        if row.flags != "--" { #expect(letters == row.flags, "\(row.testDescription)") }
        let retries = "\(exchange.isRedispatched ? "+" : "")\(exchange.retries)"
        #expect(retries == row.retries, "\(row.testDescription)")
        #expect(exchange.status == row.status, "\(row.testDescription)")
        if row.status == 200 { try check(row, response, cookie) }
    }

    private func check(_ row: Row, _ response: TestResponse, _ cookie: RowCookie) throws {
        let served = try #require(response["x-server"], "\(row.testDescription)")
        // Only a valid cookie says which server it must be, or that there is no choice.
        let isGiven = row.flags.first == "V" && row.listener != "dynamic"
        if isGiven || row.flags == "DN" || row.listener.hasPrefix("bk") {
            let name = ["A": "s1", "B": "s2", "BK": "bk"][served]
            #expect(name == row.server || (row.server == "bkA" && name == "bk"), "\(row.testDescription)")
        }
        let set = response.all("set-cookie")
        if row.listener == "dynamic" {
            #expect(set.count == row.setCookies.count, "\(row.testDescription)")
            for value in set { #expect(value.wholeMatch(of: /SRV=[0-9a-f]{16}; path=[\/]/) != nil, "\(value)") }
        } else if row.listener == "life" {
            #expect(set.map(cookie.withoutToday) == wanted(row, served).map(RowCookie.withoutMeasuredDay))
        } else {
            #expect(set == wanted(row, served), "\(row.testDescription)")
        }
        #expect(response.all("cache-control") == row.cacheControl, "\(row.testDescription)")
        let lines = response.text.components(separatedBy: "\r\n")
        let forwarded = lines.first { $0.hasPrefix("Cookie: ") }.map { String($0.dropFirst(8)) }
        #expect(forwarded == row.forwardedCookie, "\(row.testDescription)")
    }

    /// The row's cookies with the server that served in the place of the one that did when it was measured.
    private func wanted(_ row: Row, _ served: String) -> [String] {
        row.setCookies.map { line in
            guard line.hasPrefix("SRV=") else { return line }
            let value = line.dropFirst(4).prefix { !";~|".contains($0) }
            return ["A", "B", "BK"].contains(String(value)) ? "SRV=\(served)\(line.dropFirst(4 + value.count))" : line
        }
    }

    /// Where clients stay at a server that is down it must really be there, and only its checks fail.
    private static func isDownByChecks(_ row: Row) -> Bool {
        row.listener.hasPrefix("ins_ind_persist") && row.situation.contains("down")
    }

    private func planned(_ row: Row, _ origins: [Origin], _ endpoint: Endpoint) -> PlannedListener {
        var nodes: [String: NodeCondition] = [:]
        let listener = Listener.test(endpoint, origins) {
            $0.cookie = RowCookie.configuration(row.listener)
            $0.redispatch = row.listener.contains("redisp")
            $0.redispatchInterval = row.listener == "deadup_redisp1" ? 1 : nil
            $0.persist = row.listener.contains("persist") ? true : nil
            $0.retries = row.listener == "deadup_r0" ? 0 : 2
            $0.timeouts.connect = 50
            let isBoth = row.situation.contains("both")
            for index in $0.servers.indices {
                if row.listener == "dynamic" { $0.servers[index].cookie = nil }
                guard $0.servers[index].name == "BK" else { continue }
                $0.servers[index].isBackup = true
                if row.listener == "bk_no_cookie" { $0.servers[index].cookie = nil }
                if row.listener == "bk_shared" { $0.servers[index].cookie = "A" }
            }
            for index in $0.servers.indices where index == 0 || isBoth {
                let whose = isBoth ? "both" : "s1"
                if row.situation.contains("\(whose) maint") { $0.servers[index].state = .maint }
                if row.situation.contains("\(whose) drain") { $0.servers[index].state = .drain }
                if row.situation.contains("\(whose) w0") { $0.servers[index].weight = 0 }
                guard row.situation.contains("\(whose) down") else { continue }
                if Self.isDownByChecks(row) {
                    $0.servers[index].check = ServerCheck()
                    $0.servers[index].check?.inter = 10
                    // Nobody listens there.
                    $0.servers[index].check?.port = 1
                } else {
                    nodes[$0.servers[index].name] = .lost
                }
            }
        }
        return PlannedListener(listener, nodes: nodes)
    }
}

/// Apart, because an attribute of the suite cannot look into it.
enum CookieTableRows {
    static var isMissing: Bool { CookieTableTests.rows.isEmpty }
}

/// The cookie that a row's client sends, and how its listener is configured.
struct RowCookie {
    /// `NAME=VALUE`; nil for none.
    var text: String?
    private let today: Int64

    init(_ row: CookieTableTests.Row) {
        today = Clock.wallMilliseconds() / 1000
        text = Self.text(row.situation)
        if row.listener == "prefix", text != nil { text = "SRV=A~orig" }
        if row.listener == "life", let ages = Self.ages[row.situation] {
            text = "SRV=A|\(Self.date(today + ages.last))|\(Self.date(today + ages.first))"
        }
    }

    /// How old the dates are that a row is about, in seconds; negative is the past.
    private static let ages: [String: (last: Int64, first: Int64)] = [
        "fresh": (-4, -4), "idle 10m": (-604, -604), "idle 31m": (-1860, -1860),
        "idle 5m life 8h+1m": (-300, -28_860), "last future 1h": (3600, -4), "last future 25h": (90_000, -4),
        "idle 31m life 7h": (-1860, -25_200),
    ]

    private static func text(_ situation: String) -> String? {
        if situation.hasPrefix("no cookie") || situation.contains(", no cookie") { return nil }
        if situation.contains("POST no cookie") || situation.contains("new client") { return nil }
        if situation.hasPrefix("unknown cookie") { return "SRV=Z" }
        if situation.hasPrefix("empty cookie") { return "SRV=" }
        for marker in ["two cookies ", "duplicate "] where situation.hasPrefix(marker) {
            return String(situation.dropFirst(marker.count))
        }
        return situation.contains("cookie BK") ? "SRV=BK" : "SRV=A"
    }

    static func configuration(_ listener: String) -> CookiePersistence {
        var cookie = CookiePersistence(name: "SRV")
        switch listener {
        case "ins": (cookie.indirect, cookie.noCache) = (false, false)
        case "ins_ind_preserve": (cookie.noCache, cookie.preserve) = (false, true)
        case "ins_postonly": (cookie.noCache, cookie.postOnly) = (false, true)
        case "rewrite", "prefix", "passive":
            (cookie.indirect, cookie.noCache, cookie.mode) = (false, false, CookieMode(rawValue: listener))
        case "passive_ind": (cookie.noCache, cookie.mode) = (false, .passive)
        case "ins_attrs":
            (cookie.httpOnly, cookie.secure) = (true, true)
            (cookie.domains, cookie.attributes) = ([".ex.test", "b.test"], ["SameSite=Lax"])
        case "life": (cookie.maxIdle, cookie.maxLife) = (1_800_000, 28_800_000)
        case "dynamic":
            (cookie.dynamic, cookie.dynamicKey) = (true, Secret("00112233445566778899aabbccddeeff"))
        default: break
        }
        return cookie
    }

    /// Five digits of base64 for a quarter of the seconds.
    private static func date(_ seconds: Int64) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        return String([24, 18, 12, 6, 0].map { digits[Int((seconds / 4) >> $0) & 63] })
    }

    /// A cookie's dates as what they mean: `now`, or `first` where it is the date that the client came with.
    func withoutToday(_ line: String) -> String {
        var words = line.split(separator: ";")[0].split(separator: "|").map(String.init)
        let sent = (text ?? "").split(separator: "|").map(String.init)
        for index in words.indices.dropFirst() {
            let isNow = (-1...3).contains { words[index] == Self.date(today + $0 * 4) }
            if isNow { words[index] = "now" } else if sent.last == words[index] { words[index] = "first" }
        }
        return words.joined(separator: "|")
    }

    /// The same for a measured cookie: all but the dates of one day are of the moment.
    static func withoutMeasuredDay(_ line: String) -> String {
        var words = line.split(separator: ";")[0].split(separator: "|").map(String.init)
        for index in words.indices.dropFirst() { words[index] = words[index] == "awMCN" ? "first" : "now" }
        return words.joined(separator: "|")
    }
}

extension TestClient {
    /// One request as a row's situation describes it.
    fileprivate func ask(_ situation: String, _ cookie: RowCookie) throws -> TestResponse {
        var fields = ""
        if let text = cookie.text, !situation.hasPrefix("echo") || text != "SRV=A" { fields += "Cookie: \(text)\r\n" }
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
}

extension TestResponse {
    /// All values of a field, in their order.
    func all(_ name: String) -> [String] { fields.filter { $0.0 == name }.map(\.1) }
}
