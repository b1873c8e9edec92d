import ClusterModel
import Testing

@Suite
struct ValidationTests {
    private func problems(_ change: (inout ClusterConfiguration) -> Void) -> [String] {
        var configuration = exampleConfiguration()
        change(&configuration)
        return configuration.validate().map(\.description)
    }

    @Test
    func `A good configuration has no problem`() {
        #expect(exampleConfiguration().validate().isEmpty)
    }

    @Test
    func `All problems are told at once`() {
        let found = problems { configuration in
            configuration.name = "a b"
            configuration.nodes[1].addresses = configuration.nodes[0].addresses
            configuration.resources[0].name = "App"
            configuration.listeners[0].mode = .tcp
            configuration.fenceDevices[0].targets = ["ctl9": ""]
        }
        #expect(found.count == 7, "\(found)")
        #expect(found.contains("node \"ctl2\": address 192.168.0.10 is that of node \"ctl1\" too"))
        #expect(found.contains("fence device \"ipmi\": there is no node \"ctl9\"; nodes: ctl1, ctl2"))
        let cookie = "listener \"horizon\": a cookie needs mode http; give mode=http or leave the cookie out"
        #expect(found.contains(cookie))
    }

    @Test
    func `Names, numbers and addresses are unique`() {
        let found = problems { configuration in
            configuration.nodes[1].id = NodeID(1)
            configuration.resources.append(
                Resource(name: "VIP2", kind: .virtualIP(VirtualIP(address: address("192.168.0.30"), prefixLength: 24)))
            )
            configuration.listeners.append(Listener(name: "other", binds: configuration.listeners[0].binds, mode: .tcp))
            configuration.listeners[0].servers[1].endpoint = configuration.listeners[0].servers[0].endpoint
        }
        #expect(
            found == [
                "node \"ctl2\": number 1 is that of node \"ctl1\" too",
                "resource \"VIP2\": address 192.168.0.30 is that of resource \"VIP\" too",
                "listener \"horizon\", server \"ctl2\": 192.168.0.10:80 is that of server \"ctl1\" too",
                "listener \"other\": bind 192.168.0.30:80 is that of listener \"horizon\" too",
            ]
        )
    }

    @Test
    func `What requires a lease alone needs an operator's word on who ends it`() throws {
        func refusals(_ change: (inout ClusterConfiguration) -> Void) -> [String] {
            problems { configuration in
                for index in configuration.resources.indices { configuration.resources[index].requires = .lease }
                change(&configuration)
            }
        }
        let found = refusals { _ in }
        #expect(found.count == 1 && found.allSatisfy { $0.hasPrefix("resource \"App\": requires=lease") }, "\(found)")
        for said in SelfFence.allCases { #expect(refusals { $0.properties.selfFence = said } == []) }
        #expect(problems { $0.properties.checkInterval = 0 }.count == 1)
        #expect(problems { $0.properties.checkInterval = 5000 } == [])
        #expect(problems { $0.properties.watchdogTimeout = 1000 }.count == 1)
        #expect(problems { $0.properties.watchdogTimeout = 2500 }.count == 1)
        #expect(problems { $0.properties.watchdogTimeout = 3000 } == [])
    }

    @Test
    func `A virtual IP cannot be a node's own address`() {
        let found = problems { configuration in
            let own = VirtualIP(address: address("192.168.0.10"), prefixLength: 24)
            configuration.resources[0].kind = .virtualIP(own)
        }
        #expect(found == ["resource \"VIP\": address 192.168.0.10 is that of node \"ctl1\" too"])
    }

    @Test(arguments: [
        (0, "prefix"), (33, "prefix"),
    ])
    func `A prefix length fits its family`(length: Int, _: String) {
        let found = problems { configuration in
            let wrong = VirtualIP(address: address("192.168.0.30"), prefixLength: length)
            configuration.resources[0].kind = .virtualIP(wrong)
        }
        #expect(found == ["resource \"VIP\": cidr_netmask \(length) is not within 1 to 32"])
    }

    @Test
    func `Mandatory colocations that contradict each other are found across a chain`() {
        let found = problems { configuration in
            configuration.resources.append(Resource(name: "Db", kind: configuration.resources[1].kind))
            configuration.colocations += [
                ColocationConstraint(id: "b", resource: "App", with: "Db", score: .infinity),
                ColocationConstraint(id: "c", resource: "Db", with: "VIP", score: .minusInfinity),
            ]
        }
        let pair = "Db and VIP must be together by other constraints and apart by this one"
        #expect(found == ["colocation constraint \"c\": \(pair); delete one of them"])
    }

    @Test
    func `A circle of mandatory colocations is found, one of preferences is allowed`() {
        let preferred = problems { configuration in
            configuration.colocations.append(
                ColocationConstraint(id: "b", resource: "App", with: "VIP", score: Score(50))
            )
        }
        #expect(preferred.isEmpty)
        let mandatory = problems { configuration in
            configuration.colocations.append(
                ColocationConstraint(id: "b", resource: "App", with: "VIP", score: .infinity)
            )
        }
        let expected = "it closes a circle: VIP already follows App; delete one of them"
        #expect(mandatory == ["colocation constraint \"b\": \(expected)"])
    }

    @Test
    func `A service on the listener's own address is refused with the reason`() {
        let found = problems { $0.listeners[0].servers[0].endpoint = endpoint("192.168.0.30:80") }
        #expect(found.count == 1)
        #expect(
            found.first?.contains("where the listener itself listens; let the service listen on each node's") == true
        )
    }

    @Test
    func `Limits are named in the problem`() {
        let found = problems { configuration in
            configuration.nodes = (1...33).map { number in
                Node(id: NodeID(number), name: "n\(number)", addresses: [address("10.0.0.\(number)")])
            }
            configuration.fenceDevices = []
        }
        #expect(found == ["nodes: 33 are more than the limit of 32"])
    }

    @Test
    func `Ranges of a listener and its servers are checked`() {
        let found = problems { configuration in
            configuration.listeners[0].retries = 101
            configuration.listeners[0].timeouts.client = 0
            configuration.listeners[0].servers[0].weight = 257
            configuration.listeners[0].servers[0].check?.rise = 0
            configuration.listeners[0].httpCheck = HTTPCheck(uri: "health", expectStatus: [StatusRange(302, 300)])
        }
        #expect(
            found == [
                "listener \"horizon\": timeout-client 0ms is not within 1ms to 49d",
                "listener \"horizon\": retries 101 is not within 0 to 100",
                "listener \"horizon\": \"health\" is no request target; give a path such as /healthcheck",
                "listener \"horizon\": 302-300 are no status codes; give 100 to 599, low end first",
                "listener \"horizon\", server \"ctl1\": weight 257 is not within 0 to 256",
                "listener \"horizon\", server \"ctl1\": rise 0 is not within 1 to 1000",
            ]
        )
    }

    @Test
    func `Commands are absolute paths and parameters are plain`() {
        let found = problems { configuration in
            configuration.resources[1].kind = .process(ProcessSpecification(command: ["app"], environment: ["A=B": ""]))
            configuration.fenceDevices[0].parameters = ["action": "off", "a b": "1", "password": "2"]
        }
        #expect(found.count == 5, "\(found)")
        #expect(found[0] == "resource \"App\": \"app\" is no absolute path; give the program's whole path")
    }

    @Test
    func `Ten thousand constraints are checked in a chain without ado`() {
        var configuration = exampleConfiguration()
        let kind = configuration.resources[1].kind
        configuration.resources = (0..<1000).map { Resource(name: "r\($0)", kind: kind) }
        configuration.colocations = (0..<999).map { number in
            ColocationConstraint(id: "c\(number)", resource: "r\(number)", with: "r\(number + 1)", score: .infinity)
        }
        #expect(configuration.validate().isEmpty)
    }
}
