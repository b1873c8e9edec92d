import ClusterModel
import Foundation
import Testing

@Suite
struct EditingTests {
    private func edited(_ edits: ConfigurationEdit...) throws -> ClusterConfiguration {
        var configuration = exampleConfiguration()
        for edit in edits { configuration = try configuration.applying(edit) }
        return configuration
    }

    private func refusal(_ edit: ConfigurationEdit) -> String {
        do {
            _ = try exampleConfiguration().applying(edit)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test
    func `Properties are read with Pacemaker's spellings and set`() throws {
        let off = try ClusterProperty(name: "stonith-enabled", value: "No")
        let time = try ClusterProperty(name: "stonith-timeout", value: "90")
        let configuration = try edited(.setProperty(off), .setProperty(time))
        #expect(!configuration.properties.stonithEnabled)
        #expect(configuration.properties.stonithTimeout == 90_000)
        #expect(try ClusterProperty(name: "profile", value: "wan") == .profile(.wan))
        #expect(throws: EditError.self) { try ClusterProperty(name: "profile", value: "warp") }
        #expect(try ClusterProperty(name: "stonith-timeout", value: "") == .stonithTimeout(60_000))
        #expect(throws: EditError.self) { try ClusterProperty(name: "stonith-enabled", value: "maybe") }
        let fence = try ClusterProperty(name: "self-fence", value: "watchdog")
        let wait = try ClusterProperty(name: "stonith-watchdog-timeout", value: "10")
        let changed = try edited(.setProperty(fence), .setProperty(wait)).properties
        #expect(changed.selfFence == .watchdog && changed.watchdogTimeout == 10_000)
        #expect(try ClusterProperty(name: "self-fence", value: "") == .selfFence(nil))
        #expect(try ClusterProperty(name: "self-fence", value: "none") == .selfFence(.nothing))
        #expect(throws: EditError.self) { try ClusterProperty(name: "self-fence", value: "panic") }
        #expect(throws: EditError.self) { try ClusterProperty(name: "stonith-watchdog-timeout", value: "soon") }
        #expect(try ClusterProperty(name: "stonith-check-interval", value: "30") == .checkInterval(30_000))
        #expect(try ClusterProperty(name: "stonith-check-interval", value: "") == .checkInterval(nil))
        #expect(throws: EditError.self) { try ClusterProperty(name: "stonith-check-interval", value: "never") }
        #expect(changed.listed.map(\.name) == ClusterProperty.names)
    }

    static let changed: [(name: String, value: String)] = [
        ("arbiter", "192.0.2.1,2001:db8::1"),
        ("maintenance-mode", "true"), ("profile", "wan"), ("resource-stickiness", "7"), ("self-fence", "reboot"),
        ("stonith-check-interval", "30s"),
        ("stonith-enabled", "false"), ("stonith-timeout", "90s"), ("stonith-watchdog-timeout", "10s"),
    ]

    /// Secrets are only written where the writer asks for it.
    private func withoutSecrets() -> ClusterConfiguration {
        var configuration = exampleConfiguration()
        configuration.fenceDevices = []
        return configuration
    }

    /// Nodes agree by what they read, not by what they wrote.
    @Test
    func `Everything that can be set is still set after it was written and read`() throws {
        #expect(Self.changed.map(\.name) == ClusterProperty.names)
        var configuration = withoutSecrets()
        for (name, value) in Self.changed { configuration.set(try ClusterProperty(name: name, value: value)) }
        #expect(configuration.properties.listed.allSatisfy { !$0.isDefault })
        configuration.nodes[0].standby = true
        configuration.nodes[0].maintenance = true
        configuration.resources[0].enabled = false
        configuration.resources[0].managed = false
        configuration.resources[0].stickiness = Score(3)
        configuration.resources[0].requires = .nothing
        let written = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(ClusterConfiguration.self, from: written) == configuration)
    }

    @Test
    func `What an older version wrote is read, with defaults for what it did not know`() throws {
        let old = withoutSecrets()
        var text = String(decoding: try JSONEncoder().encode(old), as: UTF8.self)
        for key in ["\"maintenance\":false", "\"maintenanceMode\":false", "\"managed\":true"] {
            #expect(text.contains(key))
            text = text.replacing("\(key),", with: "").replacing(",\(key)", with: "")
        }
        #expect(!text.contains("maintenance") && !text.contains("managed"))
        #expect(try JSONDecoder().decode(ClusterConfiguration.self, from: Data(text.utf8)) == old)
    }

    @Test
    func `Refusals say what is wrong and what there is`() {
        #expect(refusal(.deleteResource("VIP2")) == "there is no resource \"VIP2\"; resources: App, VIP")
        #expect(refusal(.setStandby(nodes: ["ctl9"], standby: true)) == "there is no node \"ctl9\"; nodes: ctl1, ctl2")
        let twice = exampleConfiguration().resources[0]
        let expected = "there is a resource \"VIP\" already; choose another name, or delete that one first"
        #expect(refusal(.createResource(twice)) == expected)
        let server = ConfigurationEdit.setServer(listener: "horizon", server: "ctl3", weight: 1, state: nil)
        #expect(refusal(server) == "there is no server \"ctl3\"; servers: ctl1, ctl2")
    }

    @Test
    func `Constraint ids are built as pcs builds them`() throws {
        let configuration = try edited(
            .deleteConstraint(id: "colocation-VIP-App-INFINITY"),
            .addLocation(resource: "VIP", node: "ctl1", score: Score(50), id: nil),
            .addColocation(resource: "VIP", with: "App", score: .minusInfinity, id: nil)
        )
        #expect(configuration.locations.map(\.id) == ["location-VIP-ctl1-50"])
        #expect(configuration.colocations.map(\.id) == ["colocation-VIP-App--INFINITY"])
    }

    @Test
    func `A second preference for the same node replaces the first`() throws {
        let configuration = try edited(
            .addLocation(resource: "VIP", node: "ctl1", score: Score(50), id: nil),
            .addLocation(resource: "VIP", node: "ctl1", score: .infinity, id: nil)
        )
        #expect(configuration.locations.map(\.id) == ["location-VIP-ctl1-INFINITY"])
    }

    @Test
    func `A second colocation of the same two is refused with its id`() {
        let edit = ConfigurationEdit.addColocation(resource: "VIP", with: "App", score: Score(5), id: nil)
        #expect(refusal(edit).contains("\"colocation-VIP-App-INFINITY\" joins these two already"))
    }

    @Test
    func `Deleting a resource deletes the constraints that name it`() throws {
        let configuration = try edited(
            .addLocation(resource: "App", node: "ctl1", score: Score(50), id: nil),
            .deleteResource("App")
        )
        #expect(configuration.locations.isEmpty)
        #expect(configuration.colocations.isEmpty)
        #expect(configuration.validate().isEmpty)
    }

    @Test
    func `Removing a node takes its constraints and its fence device with it`() throws {
        let configuration = try edited(.removeNode("ctl1"))
        #expect(configuration.nodes.map(\.name) == ["ctl2"])
        #expect(configuration.fenceDevices.isEmpty)
        #expect(throws: EditError.lastNode("ctl2")) { try configuration.applying(.removeNode("ctl2")) }
    }

    @Test
    func `A change that would break the configuration is refused with all reasons`() {
        var listener = exampleConfiguration().listeners[0]
        listener.mode = .tcp
        let text = refusal(.replaceListener(listener))
        #expect(text.split(separator: "\n").count == 2, "\(text)")
    }

    @Test
    func `A configuration that is bad already can still be changed, but not made worse`() throws {
        var configuration = exampleConfiguration()
        configuration.listeners[0].retries = 500
        let edited = try configuration.applying(.setEnabled(resources: ["VIP"], enabled: false))
        #expect(edited.resources[0].enabled == false)
        #expect(throws: EditError.self) {
            try configuration.applying(.setServer(listener: "horizon", server: "ctl1", weight: 300, state: nil))
        }
    }

    @Test
    func `Servers are added, changed and removed`() throws {
        let server = Server(name: "ctl3", endpoint: endpoint("192.168.0.12:80"))
        let configuration = try edited(
            .addServer(listener: "horizon", server),
            .setServer(listener: "horizon", server: "ctl3", weight: 9, state: .drain),
            .removeServer(listener: "horizon", server: "ctl1")
        )
        let servers = configuration.listeners[0].servers
        #expect(servers.map(\.name) == ["ctl2", "ctl3"])
        #expect(servers[1].weight == 9)
        #expect(servers[1].state == .drain)
    }

    @Test
    func `Replacing all keeps the nodes where none are named, and stored secrets where they are masked`() throws {
        var file = exampleConfiguration()
        file.nodes = []
        file.resources.removeLast()
        file.colocations = []
        file.fenceDevices[0].secrets["password"] = .masked
        let configuration = try edited(.setStandby(nodes: ["ctl2"], standby: true), .replaceAll(file))
        #expect(configuration.nodes.map(\.standby) == [false, true])
        #expect(configuration.resources.map(\.name) == ["VIP"])
        #expect(configuration.fenceDevices[0].secrets["password"] == Secret("x"))
    }

    @Test
    func `Replacing all with another cluster's file, or other machines, is refused`() {
        var file = exampleConfiguration()
        file.name = "other"
        #expect(refusal(.replaceAll(file)).hasPrefix("the file is for cluster \"other\", but this is cluster"))
        file = exampleConfiguration()
        file.nodes[1].name = "ctl3"
        let text = refusal(.replaceAll(file))
        #expect(text.contains("the cluster has no node ctl3; join it"))
        #expect(text.contains("the file leaves out node ctl2"))
    }

    @Test
    func `A masked secret that is not stored is refused`() {
        let device = FenceDevice(name: "new", agent: "a", secrets: ["password": .masked], targets: ["ctl2": ""])
        #expect(refusal(.createFenceDevice(device)).contains("give password=@FILE"))
    }

    @Test
    func `The nearest name is suggested only where it is near`() {
        #expect(NearestName.among(["balance", "bind"], to: "blaance") == "balance")
        #expect(NearestName.among(["balance", "bind"], to: "timeout") == nil)
    }
}
