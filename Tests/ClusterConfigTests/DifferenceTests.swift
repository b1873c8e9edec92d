import ClusterConfig
import ClusterModel
import Testing

@Suite
struct DifferenceTests {
    private let old = """
        cluster: c
        nodes: [{name: n1, addresses: [10.0.0.1]}, {name: n2, addresses: [10.0.0.2]}]
        resources:
          - {name: VIP, agent: IPaddr2, parameters: {ip: 10.0.0.9, cidr_netmask: 24}}
          - {name: A, agent: Dummy}
        listeners:
          - name: web
            bind: 10.0.0.9:80
            servers: [a 10.0.0.1:80 check, b 10.0.0.2:80 check]
        """

    private let new = """
        cluster: c
        nodes: [{name: n1, addresses: [10.0.0.1]}, {name: n2, addresses: [10.0.0.2], standby: true}]
        properties: {stonith-enabled: false}
        resources:
          - name: VIP
            agent: IPaddr2
            parameters: {ip: 10.0.0.9, cidr_netmask: 16}
            operations: {monitor: {interval: 1s}}
          - {name: B, agent: process, parameters: {command: /bin/b -x}}
        constraints: {colocation: [{resource: VIP, with: B}]}
        listeners:
          - name: web
            bind: 10.0.0.9:80
            timeout-client: 90s
            servers:
              - b 10.0.0.2:80 check weight 5
              - {server: "a 10.0.0.1:80 check", state: drain}
              - c 10.0.0.3:80
        """

    @Test
    func `Every difference is one line`() throws {
        let before = try ClusterDocument(yaml: old).configuration
        let after = try ClusterDocument(yaml: new).configuration
        let lines = ConfigurationDifference.between(before, after).map(\.description)
        #expect(
            lines == [
                "~ node n2: standby false -> true",
                "~ property stonith-enabled: true -> false",
                "- resource A (ocf::heartbeat:Dummy)",
                "~ resource VIP: cidr_netmask 24 -> 16, monitor-interval (default) -> 1s",
                "+ resource B (process) command='/bin/b -x'",
                "+ colocation colocation-VIP-B-INFINITY resource=VIP with=B score=INFINITY",
                "~ listener web: timeout-client (default) -> 90s",
                "~ server web/b: words '10.0.0.2:80 check' -> '10.0.0.2:80 check weight 5'",
                "~ server web/a: state ready -> drain",
                "+ server web/c words=10.0.0.3:80 state=ready",
                "~ listener web: order of its servers",
            ]
        )
        #expect(ConfigurationDifference.between(after, after).isEmpty)
    }

    @Test
    func `A file written from a configuration gives it back, odd texts included`() throws {
        var configuration = try ClusterDocument(yaml: new).configuration
        let odd = ["x": "a: b # c", "y": "null", "z": "\"'\\\t", "w": "-1", "v": "", "u": "é\u{85}"]
        configuration.resources.append(
            Resource(name: "odd", kind: .ocf(OCFSpecification(provider: "p", type: "t", parameters: odd)))
        )
        configuration.resources[0].requires = .fencing
        configuration.resources[0].stickiness = .minusInfinity
        let yaml = ClusterYAML.text(configuration)
        let again = try ClusterDocument(yaml: yaml).configuration
        #expect(again == configuration, "\(yaml)")
    }
}
