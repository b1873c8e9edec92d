import ClusterConfig
import ClusterModel
import Testing

@Suite
struct DocumentTests {
    private let minimal = "cluster: c\nnodes: [{name: n1, addresses: [10.0.0.1]}, {name: n2, addresses: [10.0.0.2]}]\n"

    private func errors(_ yaml: String) -> [String] {
        do throws(Diagnostics) {
            _ = try ClusterDocument(yaml: yaml)
            return []
        } catch {
            return error.list.map(\.description)
        }
    }

    @Test
    func `A small file is read with defaults`() throws {
        let configuration = try ClusterDocument(yaml: minimal).configuration
        #expect(configuration.name == "c")
        #expect(configuration.nodes.map(\.id) == [NodeID(1), NodeID(2)])
        #expect(configuration.properties == ClusterProperties())
        #expect(configuration.resources.isEmpty)
    }

    @Test
    func `All unreadable values are told at once, each at its line and column`() {
        let yaml = """
            cluster: openstack
            nodes:
              - name: ctl1
                addresses: [10.0.0.300]
                standbye: true
            resources:
              - name: VIP
                agent: IPaddr2
                parameters:
                  ip: 10.0.0.9
                  cidr_netmask: 24
                  lvs_support: true
                operations:
                  monitor: {interval: 10}
              - name: HAProxy
                agent: systemd:haproxy
            listener: []
            """
        #expect(
            errors(yaml) == [
                "4:17: addresses \"10.0.0.300\" is no IP address; give an IPv4 or IPv6 address; names are not resolved",
                "5:5: node \"ctl1\" has no key \"standbye\"; did you mean \"standby\"?",
                "12:7: the virtual IP has no parameter \"lvs_support\"; parameters: ip, cidr_netmask, nic",
                "14:27: monitor interval \"10\" has no unit; give ms, s, m, h or d, such as 10s",
                "16:12: this version runs no systemd: resources (systemd:haproxy); use process "
                    + "command=\"/path/to/program …\", or an OCF agent; the load balancer itself needs no resource, "
                    + "it runs on every node",
                "17:1: the file has no key \"listener\"; did you mean \"listeners\"?",
            ]
        )
    }

    @Test
    func `What does not fit together is told at the place of the value`() {
        let yaml =
            minimal + """
                resources:
                  - {name: A, agent: Dummy}
                constraints:
                  colocation:
                    - {resource: A, with: B}
                  location:
                    - resource: A
                      node: n3
                      score: 5
                stonith:
                  - name: d
                    agent: fence_x
                    nodes: [n9]
                listeners:
                  - name: web
                    bind: 10.0.0.9:80
                    cookie: S insert
                    servers:
                      - a 10.0.0.1:80 weight 2
                      - b 10.0.0.1:80
                """
        #expect(
            errors(yaml) == [
                "7:27: colocation constraint \"colocation-A-B-INFINITY\": there is no resource \"B\"; resources: A",
                "10:13: location constraint \"location-A-n3-5\": there is no node \"n3\"; nodes: n1, n2",
                "15:5: fence device \"d\": there is no node \"n9\"; nodes: n1, n2",
                "19:13: listener \"web\": a cookie needs mode http; give mode=http or leave the cookie out",
                "22:9: listener \"web\", server \"b\": 10.0.0.1:80 is that of server \"a\" too",
            ]
        )
    }

    @Test
    func `Errors of server lines stand at the line`() {
        let yaml =
            minimal + """
                listeners:
                  - name: web
                    bind: 10.0.0.9:80
                    blance: roundrobin
                    timeout-client: 180
                    servers:
                      - a 10.0.0.1:80 check redir 5s
                      - server: b 10.0.0.2
                        state: drained
                """
        let found = errors(yaml)
        #expect(found.count == 4, "\(found)")
        #expect(found[0] == "6:5: there is no option \"blance\"; did you mean \"balance\"?")
        #expect(found[1].hasPrefix("7:5: timeout-client \"180\" has no unit"))
        #expect(found[2].hasPrefix("9:9: server \"a\": this version has no \"redir\" for servers; "))
        #expect(found[3].hasPrefix("10:17: server \"b\": \"10.0.0.2\" is no address with a port"))
    }

    @Test(arguments: [
        ("", "1:1: the file is empty"),
        ("cluster: [a\nnodes: x", "2:6: this is no YAML: "),
        ("cluster: c\ncluster: d\n", "1:1: key \"cluster\" is given twice"),
        ("- a\n", "1:1: the file is a list, not a mapping"),
        ("cluster: {a: b}\n", "1:10: \"cluster\" is a mapping, not a text"),
        ("cluster: c\nnodes: n1\n", "2:8: \"nodes\" is a text, not a list"),
        ("? [a]\n: b\n", "1:3: a key is a list, not a text"),
        ("a: 1\n---\nb: 2\n", "2:1: this is no YAML: but found another document"),
        (
            "cluster: c\nproperties: {stonith-timeout: 1s}\nnodes: [{name: n, addresses: [10.0.0.1]}]\n",
            "2:31: properties"
        ),
        ("cluster: c\nproperties: {stonith-enabled: maybe}\n", "2:31: stonith-enabled cannot be \"maybe\""),
    ])
    func `A file that cannot be read is told with its place`(yaml: String, start: String) {
        let found = errors(yaml)
        #expect(found.contains { $0.hasPrefix(start) }, "\(found)")
    }

    @Test
    func `Brackets and aliases without end are refused, not followed`() {
        #expect(errors("a: " + String(repeating: "[", count: 50_000)).first?.contains("brackets") == true)
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...8 {
            let previous = "*a\(level - 1)"
            bomb += "a\(level): &a\(level) [\(Array(repeating: previous, count: 10).joined(separator: ","))]\n"
        }
        #expect(errors(bomb).first?.contains("more than 500000 values") == true)
    }

    @Test
    func `A secret stands in a file of its own`() throws {
        let device = "stonith: [{name: d, agent: fence_x, nodes: {n1: 7}, "
        let plain = errors(minimal + device + "secrets: {password: hunter2}}]")
        #expect(plain.count == 1)
        #expect(plain[0].hasPrefix("3:73: a secret does not stand in this file"), "\(plain)")
        #expect(!plain[0].contains("hunter2"))
        let misplaced = errors(minimal + device + "parameters: {passwd: hunter2}}]")
        #expect(misplaced.first?.contains("move it to \"secrets\" as passwd: \"@FILE\"") == true)
        let document = try ClusterDocument(yaml: minimal + device + "secrets: {password: \"@/etc/p\"}}]")
        #expect(document.secrets == ["d": ["password": .file("/etc/p")]])
        let resolved = document.resolved { device, parameter, source in Secret("\(device) \(parameter) \(source)") }
        #expect(resolved.fenceDevices[0].secrets["password"]?.exposed == "d password file(\"/etc/p\")")
        #expect(resolved.fenceDevices[0].targets == ["n1": "7"])
    }

    @Test
    func `Without nodes the file waits for the cluster's own`() throws {
        let yaml =
            "cluster: c\nresources: [{name: A, agent: Dummy}]\nconstraints: {location: [{resource: A, node: n1}]}"
        let document = try ClusterDocument(yaml: yaml)
        var current = ClusterConfiguration(name: "c", nodes: [])
        current.nodes = [Node(id: NodeID(1), name: "other", addresses: [])]
        let merged = try current.merging(document.configuration)
        let problems = merged.validate().filter { $0.place.section == .locations }
        #expect(document.diagnostics(for: problems).list.map(\.position) == [SourcePosition(line: 3, column: 46)])
    }
}
