import ClusterModel
import Testing

@testable import ClusterAgent

@Suite
struct ProxyViewTests {
    @Test
    func `A node is passive for a listener whose virtual IPs are all elsewhere, where that matters`() throws {
        let addresses = try ["192.168.0.30", "192.168.0.31"].map { try #require(IPAddress($0)) }
        var configuration = ClusterConfiguration(name: "c", nodes: [])
        configuration.resources = zip(["A", "B"], addresses).map { name, address in
            Resource(name: name, kind: .virtualIP(VirtualIP(address: address, prefixLength: 24)))
        }
        var state = ClusterState(configuration: configuration)
        let binds = Set(addresses.map { Endpoint(address: $0, port: 80) })
        var listener = Listener(name: "l", binds: Array(binds), mode: .tcp)
        func isPassive(_ node: UInt8, _ virtual: Set<Endpoint>) -> Bool? {
            ProxyView.isPassive(listener, virtual, of: NodeID(node), state)
        }
        #expect(isPassive(1, binds) == nil)
        listener.passiveCheckFactor = 5
        #expect(isPassive(1, binds) == true && isPassive(1, []) == nil)
        state.assignments["B"] = Assignment(node: NodeID(1), incarnation: 1, epoch: 1)
        #expect(isPassive(1, binds) == nil && isPassive(2, binds) == true)
    }
}
