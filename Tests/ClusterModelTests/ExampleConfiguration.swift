import ClusterModel

/// Two controllers with a virtual IP, a process beside it, one fence device and one listener; nothing wrong with it.
func exampleConfiguration() -> ClusterConfiguration {
    let nodes = [1, 2].map { number in
        Node(id: NodeID(number), name: "ctl\(number)", addresses: [address("192.168.0.\(9 + number)")])
    }
    var configuration = ClusterConfiguration(name: "openstack", nodes: nodes)
    configuration.resources = [
        Resource(name: "VIP", kind: .virtualIP(VirtualIP(address: address("192.168.0.30"), prefixLength: 24))),
        Resource(name: "App", kind: .process(ProcessSpecification(command: ["/usr/bin/app", "--serve"]))),
    ]
    configuration.colocations = [
        ColocationConstraint(id: "colocation-VIP-App-INFINITY", resource: "VIP", with: "App", score: .infinity)
    ]
    configuration.fenceDevices = [
        FenceDevice(name: "ipmi", agent: "fence_ipmilan", secrets: ["password": Secret("x")], targets: ["ctl1": ""])
    ]
    var listener = Listener(name: "horizon", binds: [endpoint("192.168.0.30:80")], mode: .http)
    listener.cookie = CookiePersistence(name: "SERVERID")
    listener.servers = [1, 2].map { number in
        var server = Server(name: "ctl\(number)", endpoint: endpoint("192.168.0.\(9 + number):80"))
        server.cookie = "ctl\(number)"
        server.check = ServerCheck()
        return server
    }
    configuration.listeners = [listener]
    return configuration
}

func address(_ text: String) -> IPAddress {
    guard let address = IPAddress(text) else { preconditionFailure("literal address") }
    return address
}

func endpoint(_ text: String) -> Endpoint {
    guard let endpoint = Endpoint(text) else { preconditionFailure("literal endpoint") }
    return endpoint
}
