import ClusterModel
import Testing

@testable import Balancing

@Suite
struct DynamicCookieTests {
    @Test(arguments: [
        // The first and the last of the vectors that the authors of SipHash publish, and two of a length between words.
        (0, UInt64(0x726F_DB47_DD0E_0E31)), (1, 0x74F8_39C5_93DC_67FD), (8, 0x93F5_F579_9A93_2462),
        (15, 0xA129_CA61_49BE_45E5), (63, 0x958A_324C_EB06_4572),
    ])
    func `The hash is SipHash-2-4`(length: Int, expected: UInt64) {
        let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
        #expect(SipHash.hash((0..<length).map { UInt8($0) }, key: key) == expected)
    }

    @Test
    func `A value depends on address, port and key, and on nothing else`() throws {
        let first = try #require(Endpoint("192.0.2.7:80"))
        let key = "00112233445566778899aabbccddeeff"
        let value = DynamicCookie.value(of: first, key: key)
        // Clients would lose their servers at an upgrade if this changed.
        #expect(value == "c06c85d8b78c6927")
        #expect(DynamicCookie.value(of: first, key: key) == value)
        for other in ["192.0.2.8:80", "192.0.2.7:81", "[::ffff:192.0.2.7]:80"] {
            #expect(DynamicCookie.value(of: try #require(Endpoint(other)), key: key) != value)
        }
        #expect(DynamicCookie.value(of: first, key: "00112233445566778899aabbccddeefe") != value)
        #expect(DynamicCookie.value(of: first, key: "") == DynamicCookie.value(of: first, key: "no key"))
    }
}

@Suite
struct SlowStartStepTests {
    @Test
    func `A share grows in sixteen steps`() {
        let steps = (0...17).map { SlowStart.sixteenths(elapsed: Milliseconds(Int64($0) * 100), of: 1600) }
        #expect(steps == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16])
        #expect(SlowStart.sixteenths(elapsed: 0, of: 0) == 16)
        #expect(SlowStart.sixteenths(elapsed: -5, of: 100) == 1)
    }

    @Test(arguments: [1, 7, 160, 1600, 3_600_000])
    func `Every step is reached by waiting as long as is said`(time: Int64) {
        var elapsed: Int64 = 0
        var seen: [Int] = []
        while let wait = SlowStart.next(elapsed: Milliseconds(elapsed), of: Milliseconds(time)) {
            seen.append(SlowStart.sixteenths(elapsed: Milliseconds(elapsed), of: Milliseconds(time)))
            elapsed += wait.count
        }
        #expect(elapsed == time)
        #expect(seen == seen.sorted() && Set(seen).count == seen.count)
        if time >= 160 { #expect(seen == Array(1...15)) }
    }

    @Test
    func `Only where a share grows they are in sixteenths`() {
        #expect(SlowStart.shares([1, 0, 256], sixteenths: [16, 16, 16]) == [1, 0, 256])
        #expect(SlowStart.shares([1, 0, 256], sixteenths: [1, 16, 16]) == [1, 0, 4096])
    }
}

@Suite
struct RedispatchIntervalTests {
    private func story(_ interval: Int, retries: Int = 4) -> [RetryPolicy.Step] {
        let policy = RetryPolicy(retries: retries, redispatches: true, interval: interval)
        return (0..<retries).map { policy.step(attempt: $0, followsCookie: true, isUsable: true, eligible: 2) }
    }

    @Test
    func `Positive counts from the start, negative from the end`() {
        #expect(story(-1) == [.sameServer, .sameServer, .sameServer, .anotherServer])
        #expect(story(-2) == [.sameServer, .sameServer, .anotherServer, .sameServer])
        #expect(story(1) == [.anotherServer, .anotherServer, .anotherServer, .anotherServer])
        #expect(story(2) == [.sameServer, .anotherServer, .sameServer, .anotherServer])
        #expect(story(9) == story(-9) && story(9).allSatisfy { $0 == .sameServer })
    }
}

@Suite
struct CookieLetterTests {
    @Test
    func `Letters are those of HAProxy's log, each once`() {
        #expect(String(ClientCookie.allCases.map(\.letter)) == "-NIDVEO")
        #expect(String(ServerCookie.allCases.map(\.letter)) == "-NIUPRD")
    }
}
