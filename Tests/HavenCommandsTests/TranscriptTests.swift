import AdminAPI
import ClusterModel
import Testing

/// What operators type in the lab that taught them Pacemaker and HAProxy, with `haven` in the place of `pcs`.
@Suite
struct TranscriptTests {
    @Test
    func `The lab's lines work word by word`() {
        let cluster = CommandLineHarness()
        for line in [
            "property set stonith-enabled=false",
            "resource create VirtualIP IPaddr2 ip=192.168.0.30 cidr_netmask=24",
            "resource create HAProxy process command=/usr/sbin/haproxy",
            "constraint colocation add VirtualIP with HAProxy score=INFINITY",
            """
            lb listener create horizon bind=192.168.0.30:80 mode=http \
            cookie='SERVERID insert indirect nocache' timeout-client=180s
            """,
            "lb server add horizon controller1 192.168.0.10:80 cookie controller1 check inter 1s",
            "lb server add horizon controller2 192.168.0.11:80 cookie controller2 check inter 1s",
            "lb listener create keystone-public bind=192.168.0.30:5000 mode=tcp",
            "lb server add keystone-public controller1 192.168.0.10:5000 check inter 1s",
            "node standby controller2",
        ] {
            let result = cluster.run(line)
            #expect(result.code == 0, "\(line): \(result.errors)")
            #expect(result.output == "" && result.errors == "")
        }
        let configuration = cluster.configuration
        #expect(!configuration.properties.stonithEnabled)
        #expect(configuration.resources.map(\.kind.agentName) == ["ocf::heartbeat:IPaddr2", "process"])
        #expect(configuration.colocations.map(\.id) == ["colocation-VirtualIP-HAProxy-INFINITY"])
        #expect(configuration.listener(named: "horizon")?.cookie == CookiePersistence(name: "SERVERID"))
        #expect(configuration.listener(named: "horizon")?.timeouts.client == 180_000)
        #expect(configuration.listener(named: "horizon")?.servers.map(\.cookie) == ["controller1", "controller2"])
        #expect(configuration.nodes.map(\.standby) == [false, true])
        #expect(configuration.validate().isEmpty)
    }

    @Test
    func `The shipped file plans and applies, and then there is nothing to change`() throws {
        let cluster = CommandLineHarness()
        cluster.files["f.yaml"] = """
            cluster: openstack
            resources:
              - {name: VIP, agent: IPaddr2, parameters: {ip: 192.168.0.30, cidr_netmask: 24}}
            stonith:
              - name: ipmi
                agent: fence_ipmilan
                secrets: {password: "@/p"}
                nodes: [controller1]
            """
        cluster.files["/p"] = "hunter2"
        let plan = cluster.run("plan -f f.yaml")
        #expect(
            plan.output == """
                + resource VIP (ocf::heartbeat:IPaddr2) ip=192.168.0.30 cidr_netmask=24
                + fence device ipmi (fence_ipmilan) password='****' pcmk_host_list=controller1
                """
        )
        #expect(cluster.version == 1, "plan changes nothing")
        #expect(cluster.run("apply -f f.yaml").code == 0)
        #expect(cluster.configuration.fenceDevices.first?.secrets["password"] == Secret("hunter2"))
        #expect(cluster.requests.last.map { "\($0)".contains("hunter2") } == false, "a secret shows itself in no text")
        #expect(cluster.run("plan --file f.yaml").output == "nothing would change")
    }

    @Test
    func `A bad file is told by name, line and column, and nothing is sent`() {
        let cluster = CommandLineHarness()
        cluster.files["f.yaml"] = "cluster: openstack\nresources:\n  - {name: A, agent: Dummy, typo: 1}\nlisteners: 5\n"
        let result = cluster.run("apply -f f.yaml")
        #expect(result.code == 1)
        #expect(
            result.errors == """
                Error: f.yaml:3:29: resource "A" has no key "typo"; keys: name, agent, parameters, operations, meta
                Error: f.yaml:4:12: "listeners" is a text, not a list; start each item with "- "
                """
        )
        #expect(cluster.requests.isEmpty)
        cluster.files["f.yaml"] = "cluster: openstack\nconstraints: {location: [{resource: X, node: controller9}]}\n"
        let unknown = cluster.run("plan -f f.yaml")
        #expect(unknown.code == 1)
        #expect(unknown.errors.contains("f.yaml:2:37: location constraint"), "\(unknown.errors)")
        #expect(unknown.errors.contains("there is no node \"controller9\"; nodes: controller1, controller2"))
    }

    @Test
    func `What changed meanwhile is not overwritten`() {
        let cluster = CommandLineHarness()
        cluster.files["f.yaml"] = "cluster: openstack\nproperties: {stonith-enabled: false}\n"
        cluster.answer = { request throws(AdminClientError) in
            if case .edit(_, let expected) = request {
                #expect(expected == 1)
                return .failed(AdminFailure(.conflict, "version 2 is current, not 1", remedy: "plan again"))
            }
            return nil
        }
        let result = cluster.run("apply -f f.yaml")
        #expect(result.code == 1)
        #expect(result.errors == "Error: version 2 is current, not 1; plan again")
    }
}
