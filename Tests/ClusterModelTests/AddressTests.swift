import ClusterModel
import Testing

@Suite
struct AddressTests {
    @Test(arguments: [
        ("192.168.0.30", "192.168.0.30"), ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("fe80::1", "fe80::1"), ("::ffff:1.2.3.4", "::ffff:102:304"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func `Addresses are read and shown canonically`(text: String, shown: String) {
        #expect(IPAddress(text)?.description == shown)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1::2::3", ":::", "12345::", "1:2:3:4:5:6:7:8:9",
        "fe80::1%eth0", "1:2:3:4:5:6:7", "::1.2.3", "1:2:3:4:5:6:7:8::",
    ])
    func `What is no address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test
    func `A subnet is shared up to the prefix and no further`() throws {
        let one = try #require(IPAddress("10.0.5.1"))
        let two = try #require(IPAddress("10.0.4.9"))
        #expect(one.shares(prefix: 23, with: two))
        #expect(!one.shares(prefix: 24, with: two))
        #expect(!one.shares(prefix: 0, with: try #require(IPAddress("::1"))))
    }

    @Test
    func `Endpoints need a port and brackets around IPv6`() {
        #expect(Endpoint("10.0.0.1:80")?.port == 80)
        #expect(Endpoint("[::1]:443")?.description == "[::1]:443")
        for text in ["10.0.0.1", "10.0.0.1:0", "10.0.0.1:65536", "::1:80", "[::1]", "x:1"] {
            #expect(Endpoint(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        ("10s", Milliseconds.Unit.milliseconds, 10_000), ("5", .milliseconds, 5), ("5", .seconds, 5000),
        ("2m", .seconds, 120_000), ("1d", .seconds, 86_400_000), ("0", .seconds, 0),
    ])
    func `Times are read with their unit`(text: String, unit: Milliseconds.Unit, count: Int64) {
        #expect(Milliseconds(text, bare: unit)?.count == count)
    }

    @Test(arguments: ["", "s", "-1s", "1.5s", "1us", "1y", "99999999999999999999", "50d"])
    func `Times that cannot be meant are refused`(text: String) {
        #expect(Milliseconds(text, bare: .seconds) == nil)
    }
}
