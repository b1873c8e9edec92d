import HTTP1
import Testing

@Suite
struct CookieRuleTests {
    private func rule(_ mode: CookieRule.Mode, _ change: (inout CookieRule) -> Void = { _ in }) -> CookieRule {
        var rule = CookieRule()
        rule.mode = mode
        change(&rule)
        return rule
    }

    @Test
    func `What servers see of the cookie follows from the mode`() {
        #expect(rule(.insert).requestTreatment == .untouched)
        #expect(rule(.insert) { $0.isIndirect = true }.requestTreatment == .removed)
        #expect(rule(.prefix).requestTreatment == .withoutPrefix)
        #expect(rule(.rewrite).requestTreatment == .untouched)
        #expect(rule(.passive) { $0.isIndirect = true }.requestTreatment == .untouched)
    }

    @Test(arguments: [
        (CookieRule.Mode.insert, false, false, ResponseCookie.removed), (.insert, true, true, .removed),
        (.rewrite, false, false, .replaced), (.rewrite, false, true, .replaced), (.prefix, false, true, .prefixed),
        (.prefix, true, true, .removed), (.passive, false, true, .untouched), (.passive, true, true, .removed),
        (.passive, true, false, .untouched),
    ])
    func `What clients see of the application's follows from mode, indirect and where they were sent`(
        mode: CookieRule.Mode,
        isIndirect: Bool,
        isDirect: Bool,
        expected: ResponseCookie
    ) {
        let own = rule(mode) { $0.isIndirect = isIndirect }
        #expect(own.responseTreatment(isDirect: isDirect, hasValue: true) == expected)
        let preserving = rule(mode) {
            $0.isIndirect = isIndirect
            $0.preserves = true
        }
        #expect(preserving.responseTreatment(isDirect: isDirect, hasValue: true) == .untouched)
        let without = own.responseTreatment(isDirect: isDirect, hasValue: false)
        #expect(without == (expected == .removed ? .removed : .untouched))
    }

    @Test
    func `A cookie is given to those who have no good one`() {
        func inserts(
            _ rule: CookieRule,
            direct: Bool = false,
            stale: Bool = false,
            post: Bool = false,
            app: Bool = false
        ) -> Bool {
            rule.inserts(isDirect: direct, isStale: stale, isPost: post, appSets: app)
        }
        #expect(inserts(rule(.insert)) && !inserts(rule(.insert), direct: true))
        #expect(inserts(rule(.insert), direct: true, stale: true))
        #expect(!inserts(rule(.rewrite)) && !inserts(rule(.prefix)) && !inserts(rule(.passive)))
        let postOnly = rule(.insert) { $0.isPostOnly = true }
        #expect(!inserts(postOnly) && inserts(postOnly, post: true))
        let preserving = rule(.insert) { $0.preserves = true }
        #expect(inserts(preserving) && !inserts(preserving, app: true))
    }

    @Test(arguments: [
        ("SRV=A~orig", "SRV=orig"), ("SRV=Z~orig", "SRV=orig"), ("SRV=A", "SRV=A"), ("SRV=A~", "SRV="),
        ("SRV=A~x; SRV=B~y", "SRV=x; SRV=y"), ("SRV=~x", "SRV=x"), ("SRV=A~b~c", "SRV=b~c"),
        ("x=1; SRV = B~orig; y=2~3", "x=1; SRV = orig; y=2~3"),
    ])
    func `In mode prefix servers see what follows the first tilde`(value: String, expected: String) {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nCookie: \(value)\r\n\r\n"
        #expect(
            HeadReading.forwarded(text, cookie: "SRV", .withoutPrefix)
                == "GET / HTTP/1.1\r\nHost: a\r\nCookie: \(expected)\r\n\r\n"
        )
    }

    @Test(arguments: [
        (ResponseCookie.replaced, "SRV=app; Path=/", "SRV=B; Path=/"),
        (.prefixed, "SRV=app; Path=/", "SRV=B~app; Path=/"),
        (.prefixed, "SRV=", "SRV=B~"), (.replaced, "SRV =  app ;Secure", "SRV =  B ;Secure"), (.replaced, "SRV", "SRV"),
        (.prefixed, "SRVX=1", "SRVX=1"), (.untouched, "SRV=app", "SRV=app"),
    ])
    func `The server's value goes into the application's cookie`(
        treatment: ResponseCookie,
        value: String,
        expected: String
    ) {
        func text(_ value: String) -> String {
            "HTTP/1.1 200 OK\r\nX: 1\r\nSet-Cookie: \(value)\r\nY: 2\r\nContent-Length: 0\r\n\r\n"
        }
        let returned = HeadReading.returned(text(value), cookie: "SRV", treatment, server: "B")
        #expect(
            returned
                == "HTTP/1.1 200 OK\r\nX: 1\r\nSet-Cookie: \(expected)\r\nY: 2\r\nContent-Length: 0\r\n\r\n"
        )
    }

    @Test
    func `Values that do not fit are told, not cut`() {
        let line = "Set-Cookie: SRV=app\r\n"
        let text = "HTTP/1.1 200 OK\r\n\(String(repeating: line, count: 99))Content-Length: 0\r\n\r\n"
        let value = String(repeating: "v", count: 500)
        #expect(HeadReading.returned(text, cookie: "SRV", .prefixed, server: value) == nil)
    }
}

@Suite
struct CookieDatesTests {
    private static let now: Int64 = 1_795_835_200

    /// What follows the server's value, as the code of the product writes it.
    private func written(_ now: Int64, hasLife: Bool = true, first: Int64 = 0) -> String {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 32)
        defer { memory.deallocate() }
        var writer = HeadWriter(base: memory, capacity: 32)
        CookieDates.append(now: now, hasLife: hasLife, first: first, into: &writer)
        return String(decoding: UnsafeBufferPointer(start: memory, count: writer.count), as: UTF8.self)
    }

    private func dates(_ text: String) -> CookieDates {
        let bytes = Array(text.utf8)
        return CookieDates(reading: bytes.span, 0..<bytes.count)
    }

    private func dates(last: Int64, first: Int64) -> CookieDates {
        dates(written(Self.now + last, first: first == 0 ? 0 : Self.now + first))
    }

    @Test
    func `Dates are five digits of base64 for a quarter of the seconds`() {
        #expect(written(0, first: 4) == "|AAAAA|AAAAB")
        #expect(written(4 * 62, hasLife: false) == "|AAAA+")
        #expect(written(((1 << 30) - 1) * 4, hasLife: false) == "|/////")
        // 2^30 quarters are in the year 2106; until then nothing is lost but the rest of the division.
        let read = dates(written(Self.now + 3, first: Self.now - 1000))
        #expect(read.last == Self.now && read.first == (Self.now - 1000) / 4 * 4)
    }

    @Test(arguments: ["", "|", "||", "|xxx", "|a!aaa", "|AAAA", "x", "xx|AAAAB"])
    func `What is no date is passed over`(text: String) {
        #expect(dates(text) == CookieDates())
    }

    @Test
    func `The second date is found whatever the first one is`() {
        #expect(dates("|x|AAAAB").first == 4 && dates("|x|AAAAB").last == 0)
        #expect(dates("|AAAAC|AAAAB").last == 8)
    }

    @Test(arguments: [
        (-600, -600, CookieDates.Age.fresh), (-1860, -1860, .idle), (-300, -28_860, .old), (3600, -4, .fresh),
        (90_000, -4, .idle), (-1860, -25_200, .idle), (-4, 90_000, .old), (-1860, -28_860, .old),
    ])
    func `Age follows from both dates, life before idleness`(last: Int64, first: Int64, expected: CookieDates.Age) {
        let own = dates(last: last, first: first)
        #expect(own.age(now: Self.now, maxIdle: 1800, maxLife: 28_800) == expected)
        #expect(own.age(now: Self.now, maxIdle: 0, maxLife: 0) == .fresh)
        #expect(CookieDates().age(now: Self.now, maxIdle: 1800, maxLife: 28_800) == .fresh)
    }

    @Test
    func `A cookie is given again when time has passed, or when its dates are not those that are wanted`() {
        func isStale(_ dates: CookieDates, _ maxIdle: Int64, _ maxLife: Int64) -> Bool {
            dates.isStale(now: Self.now, maxIdle: maxIdle, maxLife: maxLife)
        }
        #expect(isStale(dates(last: -4, first: -4), 1800, 28_800))
        #expect(!isStale(dates(last: 3600, first: -4), 1800, 28_800))
        #expect(isStale(CookieDates(), 1800, 0) && isStale(CookieDates(), 0, 28_800))
        #expect(!isStale(CookieDates(), 0, 0))
        // The listener has no limits any more: the dates go.
        #expect(isStale(dates(last: -4, first: -4), 0, 0))
        #expect(isStale(dates(last: 3600, first: -4), 1800, 0))
    }
}
