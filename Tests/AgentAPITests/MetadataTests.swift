import AgentAPI
import ClusterModel
import Testing

private let sample = """
    <?xml version="1.0"?>
    <!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [ <!ENTITY evil "<x>"> ]>
    <!-- a comment with <tags> -->
    <resource-agent name="Web" version="1.0">
    <longdesc lang="en">Serves &lt;pages&gt; &amp; more &#65;&#x42; a bare & here <![CDATA[<raw>&amp;]]></longdesc>
    <shortdesc lang='en'>A web &quot;server&quot;</shortdesc>
    <parameters>
    <parameter name="port" unique="1" required="0"><content type="integer" default="80"/></parameter>
    <parameter name="root" required="1"><shortdesc>Where pages are</shortdesc><content type="string"/></parameter>
    <parameter name="ip" required="1" obsoletes="ipaddr"><content type="string"/></parameter>
    <parameter name="ipaddr" required="1" deprecated="1"><content type="string"/></parameter>
    <parameter name="mode"><content type="select"><option value="fast"/><option value="safe"/></content></parameter>
    <parameter name="tls"><content type="boolean" default="false"/></parameter>
    </parameters>
    <actions>
    <action name="start" timeout="40s"/><action name="stop" timeout="1min"/>
    <action name="monitor" depth="10" timeout="30" interval="20s"/>
    <action name="monitor" depth="0" timeout="10s" interval="5s" role="Started"/>
    </actions>
    </resource-agent>
    """

private func metadata(_ text: String) throws -> AgentMetadata { try AgentMetadata(parsing: Array(text.utf8)) }

@Suite
struct MetadataTests {
    @Test
    func `Parameters, actions and text are read`() throws {
        let agent = try metadata(sample)
        #expect(agent.name == "Web")
        #expect(agent.summary == "A web \"server\"")
        #expect(agent.parameters.map(\.name) == ["port", "root", "ip", "ipaddr", "mode", "tls"])
        #expect(agent.parameter("port")?.defaultValue == "80")
        #expect(agent.parameter("port")?.unique == true)
        #expect(agent.parameter("root")?.required == true)
        #expect(agent.parameter("ipaddr")?.deprecated == true)
        #expect(agent.parameter("mode")?.options == ["fast", "safe"])
        #expect(agent.action("stop")?.timeout == 60_000)
    }

    @Test
    func `Advice on times comes from the ordinary monitor, and defaults fill the rest`() throws {
        let defaults = OperationSettings(start: 1, stop: 2, monitor: 3, interval: 4)
        let settings = try metadata(sample).operationSettings(defaults: defaults)
        #expect(settings == OperationSettings(start: 40_000, stop: 60_000, monitor: 10_000, interval: 5000))
        let bare = try metadata("<resource-agent name='x'><actions><action name='start'/></actions></resource-agent>")
        #expect(bare.operationSettings(defaults: defaults) == defaults)
    }

    @Test
    func `Warnings before the document do not matter, rubbish does`() throws {
        #expect(try metadata("warning: old shell\n" + sample).name == "Web")
        for text in [
            "", "no xml", "<a", "<a>", "<a></b>", "<resource-agent name=x/>", "<resource-agent name=\"x/>", "<other/>",
        ] {
            #expect(throws: MetadataError.self) { try metadata(text) }
        }
    }

    @Test
    func `Every cut of a document is refused without a crash`() {
        let bytes = Array(sample.utf8)
        for length in 0..<bytes.count - 1 {
            #expect(throws: MetadataError.self) { try AgentMetadata(parsing: Array(bytes[..<length])) }
        }
    }

    @Test
    func `Every changed byte is survived`() {
        let bytes = Array(sample.utf8)
        var generator = SeededGenerator(seed: 7)
        for index in bytes.indices {
            var copy = bytes
            copy[index] = UInt8.random(in: 0...255, using: &generator)
            _ = try? AgentMetadata(parsing: copy)
        }
    }

    @Test
    func `Depth and size are bounded`() {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(throws: MetadataError.self) { try metadata(deep) }
        #expect(throws: MetadataError.self) { try metadata(String(repeating: " ", count: 2_000_000) + sample) }
    }

    @Test
    func `Parameters are checked by name, type and need`() throws {
        let agent = try metadata(sample)
        #expect(
            agent.violations(of: ["root": "/srv", "ip": "::1", "port": "8080", "mode": "safe", "tls": "Yes"]) == []
        )
        #expect(agent.violations(of: ["root": "/srv", "ipaddr": "::1"]) == [])
        #expect(agent.violations(of: ["root": ""], supplied: ["ip"]) == [])
        #expect(
            agent.violations(of: ["prot": "80", "port": "x", "mode": "slow", "tls": "maybe", "ip": "::1"]) == [
                "\"mode\" is one of fast, safe, not \"slow\"",
                "\"port\" is a whole number, not \"x\"",
                "Web has no parameter \"prot\"; did you mean \"port\"?",
                "\"tls\" is true or false, not \"maybe\"",
                "Web needs the parameter \"root\" (Where pages are)",
            ]
        )
        #expect(agent.violations(of: ["root": "/", "ip": "::1", "zzzzzz": ""]) == ["Web has no parameter \"zzzzzz\""])
    }
}

@Suite
struct OCFTests {
    @Test
    func `Only the API's own answers are success`() {
        func verdict(_ action: OCFAction, _ code: Int32) -> OCFVerdict {
            OCFVerdict(action: action, code: OCFExitCode(rawValue: code), reason: nil)
        }
        #expect(verdict(.start, 0) == .success)
        #expect(verdict(.monitor, 0) == .success)
        #expect(verdict(.monitor, 8) == .success)
        #expect(verdict(.monitor, 190) == .success)
        #expect(verdict(.monitor, 7) == .notRunning)
        #expect(verdict(.start, 7) == .failed("start failed: not running"))
        #expect(verdict(.stop, 7) == .failed("stop failed: not running"))
        #expect(verdict(.monitor, 5) == .failed("monitor failed: not installed"))
        #expect(verdict(.monitor, 77) == .failed("monitor failed: exit code 77, which the OCF API does not know"))
        let explained = OCFVerdict(action: .start, code: OCFExitCode(rawValue: 6), reason: "no ip")
        #expect(explained == .failed("start failed: not configured (no ip)"))
    }

    @Test
    func `The last exit reason counts, wherever it stands in its line`() {
        func find(_ text: String) -> String? { OCFExitReason.find(in: Array(text.utf8)) }
        #expect(find("noise\nocf-exit-reason:first\nx: ocf-exit-reason:second cause\nend") == "second cause")
        #expect(find("nothing") == nil)
        #expect(find("ocf-exit-reason:" + String(repeating: "x", count: 9000))?.count == OCFExitReason.longest)
    }

    @Test
    func `The environment is the one that Pacemaker gives, and parameters cannot forge it`() {
        let environment = OCFEnvironment(node: "ctl1", nodeNumber: NodeID(3))
        let specification = OCFSpecification(
            provider: "heartbeat",
            type: "Dummy",
            parameters: ["state": "/run/x", "CRM_meta_timeout": "1"]
        )
        let variables = environment.variables(
            resource: "d1",
            specification: specification,
            action: .monitor,
            timeout: 20_000,
            interval: 10_000
        )
        let expected = [
            "OCF_ROOT": "/usr/lib/ocf", "OCF_RA_VERSION_MAJOR": "1", "OCF_RA_VERSION_MINOR": "1",
            "OCF_EXIT_REASON_PREFIX": "ocf-exit-reason:", "OCF_RESOURCE_INSTANCE": "d1",
            "OCF_RESOURCE_TYPE": "Dummy", "OCF_RESOURCE_PROVIDER": "heartbeat", "OCF_RESKEY_state": "/run/x",
            "OCF_RESKEY_CRM_meta_timeout": "20000", "OCF_RESKEY_CRM_meta_interval": "10000",
            "OCF_RESKEY_CRM_meta_name": "monitor", "OCF_RESKEY_CRM_meta_on_node": "ctl1",
            "OCF_RESKEY_CRM_meta_on_node_uuid": "3", "OCF_CHECK_LEVEL": "0", "HA_RSCTMP": "/run/resource-agents",
            "HA_LOGFACILITY": "none",
        ]
        for (name, value) in expected { #expect(variables[name] == value, "\(name)") }
        #expect(environment.program(provider: "heartbeat", type: "Dummy") == "/usr/lib/ocf/resource.d/heartbeat/Dummy")
    }
}
