import ClusterModel
import Foundation
import Testing

/// The property `arbiter`.
@Suite
struct ArbiterPropertyTests {
    private func addresses(_ texts: String...) -> [IPAddress] { texts.compactMap { IPAddress($0) } }

    private func refusal(_ value: String) -> String {
        do {
            let property = try ClusterProperty(name: "arbiter", value: value)
            _ = try exampleConfiguration().applying(.setProperty(property))
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test
    func `Addresses of both families are read, between commas or between spaces, and written with commas`() throws {
        let both = addresses("192.0.2.1", "2001:db8::1")
        #expect(try ClusterProperty(name: "arbiter", value: "192.0.2.1,2001:db8::1") == .arbiter(both))
        #expect(try ClusterProperty(name: "arbiter", value: "192.0.2.1 2001:DB8:0::1") == .arbiter(both))
        #expect(try ClusterProperty(name: "arbiter", value: "") == .arbiter(nil))
        var configuration = try exampleConfiguration().applying(.setProperty(.arbiter(both)))
        #expect(configuration.properties.listed.first?.value == "192.0.2.1,2001:db8::1")
        configuration = try configuration.applying(.setProperty(.arbiter(nil)))
        #expect(configuration.properties.listed.first?.value == "" && configuration == exampleConfiguration())
    }

    @Test(arguments: [
        "gateway", "192.0.2.1,", ",192.0.2.1", "192.0.2.1,,192.0.2.2", "192.0.2.1/24", "fe80::1%eth0", " ",
    ])
    func `What is no list of addresses is refused with what would be one`(value: String) {
        let expected = "IPv4 or IPv6 addresses with commas between them, such as 192.0.2.1; names are not resolved"
        #expect(refusal(value) == "arbiter cannot be \"\(value)\"; give \(expected)")
    }

    @Test(arguments: [
        ("127.0.0.1", "a loopback address, which always answers"),
        ("::1", "a loopback address, which always answers"),
        ("fe80::1", "a link-local address, which means nothing without an interface"),
        ("::ffff:192.0.2.1", "an IPv4 address in the form of an IPv6 address"),
        ("0.0.0.0", "the unspecified address"),
        ("::", "the unspecified address"),
        ("224.0.0.1", "a multicast address"),
        ("255.255.255.255", "a reserved address"),
        ("ff02::2", "a multicast address"),
        ("192.168.0.10", "an address of node \"ctl1\", which proves nothing about a way out"),
        ("192.168.0.30", "a virtual IP of this cluster, which answers whoever holds it"),
    ])
    func `Addresses that prove nothing are refused`(value: String, role: String) {
        let remedy = "give the address of another machine, such as the default gateway"
        let address = IPAddress(value)?.description ?? ""
        #expect(refusal(value) == "properties: arbiter \(address) is \(role); \(remedy)")
    }

    @Test
    func `There are at most four, each once`() {
        #expect(refusal("192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4") == "")
        let many = (1...5).map { "192.0.2.\($0)" }.joined(separator: ",")
        #expect(refusal(many) == "properties: arbiter lists 5 addresses, more than the limit of 4")
        #expect(refusal("192.0.2.1,192.0.2.1") == "properties: arbiter 192.0.2.1 is listed twice")
        var configuration = exampleConfiguration()
        configuration.properties.arbiter = []
        #expect(!configuration.validate().isEmpty)
    }

    @Test
    func `Where it has no effect it may be set, and the reason is told`() throws {
        var configuration = try exampleConfiguration().applying(.setProperty(.arbiter(addresses("192.0.2.1"))))
        #expect(configuration.arbiterIdleness?.hasPrefix("stonith-enabled=true") == true)
        configuration.properties.stonithEnabled = false
        #expect(configuration.isPairWithoutFencing && configuration.arbiterIdleness == nil)
        configuration.nodes[1].role = .satellite
        #expect(configuration.arbiterIdleness?.hasPrefix("1 node votes, and only of two") == true)
        configuration.nodes[1].role = .witness
        #expect(configuration.arbiterIdleness == nil)
        configuration.properties.arbiter = nil
        configuration.properties.stonithEnabled = true
        #expect(configuration.arbiterIdleness == nil)
    }

    /// Nodes compare digests of what they encode; one that does not know the property must not differ for it.
    @Test
    func `Nothing of it is written where it is not set`() throws {
        let text = String(decoding: try JSONEncoder().encode(exampleConfiguration().properties), as: UTF8.self)
        #expect(!text.contains("arbiter"))
    }
}
