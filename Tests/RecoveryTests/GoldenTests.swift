import ClusterModel
import Foundation
import Recovery
import Testing

/// Whole stories as text: what the leader decides and what the nodes do, in milliseconds.
///
/// `RECORD_GOLDEN=1` rewrites the files; read the difference before committing it.
@Suite
struct GoldenTests {
    @Test
    func `Standby moves what must run together, follower first down and last up`() throws {
        let world = Self.world(
            Clusters.three().with(Clusters.address("vip"), Clusters.process("app")).colocated(
                "vip",
                with: "app",
                .infinity
            )
        )
        world.configure { $0.nodes[0].standby = true }
        world.run(1000)
        try Self.compare(world, "standby")
    }

    @Test
    func `Power-off: an address is back when the lease is over, a process when the node is verified off`() throws {
        let world = Self.world(
            Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))
                .located("vip", on: "n2", Score(500)).located("app", on: "n2", Score(500))
        )
        world.powerOff(NodeID(2))
        world.run(9000)
        try Self.compare(world, "power-off")
    }

    @Test
    func `Power-off: an address that must run with a process waits for the fence with it`() throws {
        let world = Self.world(
            Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))
                .colocated("vip", with: "app", .infinity).located("app", on: "n2", Score(500))
        )
        world.powerOff(NodeID(2))
        world.run(5000)
        try Self.compare(world, "power-off-colocated")
    }

    @Test
    func `Power-off without fencing: all follow when the lease is over`() throws {
        let world = Self.world(
            Clusters.three(fencing: false).with(Clusters.process("app")).located("app", on: "n2", Score(500))
        )
        world.powerOff(NodeID(2))
        world.run(2000)
        try Self.compare(world, "power-off-stonith-disabled")
    }

    @Test
    func `Power-off without a device: what requires fencing stays blocked, and a notice says why`() throws {
        var configuration = Clusters.three().with(Clusters.process("app")).located("app", on: "n2", Score(500))
        configuration.fenceDevices = []
        let world = Self.world(configuration)
        world.powerOff(NodeID(2))
        world.run(3000)
        try Self.compare(world, "power-off-no-device")
    }

    @Test
    func `Power-off of the leader: its successor fences it and takes over`() throws {
        let world = Self.world(
            Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))
                .located("vip", on: "n1", Score(500)).located("app", on: "n1", Score(500))
        )
        world.powerOff(NodeID(1))
        world.run(5000)
        try Self.compare(world, "power-off-leader")
    }

    @Test
    func `A start that fails is repeated with pauses, then tried elsewhere`() throws {
        let world = Self.world(Clusters.three())
        world.broken = ["start app 1"]
        world.configure { $0.resources = [Clusters.process("app")] }
        world.run(6000)
        try Self.compare(world, "failed-start")
    }

    @Test
    func `A stop that fails ends in a fence`() throws {
        let world = Self.world(Clusters.three().with(Clusters.process("app")).located("app", on: "n2", Score(500)))
        world.broken = ["stop app 2", "kill app 2"]
        world.configure { $0.nodes[1].standby = true }
        world.run(6000)
        try Self.compare(world, "failed-stop")
    }

    @Test
    func `A stop that fails on the leader makes it hand over first`() throws {
        let world = Self.world(Clusters.three().with(Clusters.process("app")))
        world.broken = ["stop app 1", "kill app 1"]
        world.configure { $0.nodes[0].standby = true }
        world.run(6000)
        try Self.compare(world, "failed-stop-on-leader")
    }

    @Test
    func `A process that dies is back at once, then with pauses, then elsewhere`() throws {
        let world = Self.world(Clusters.three().with(Clusters.process("app")).located("app", on: "n2", Score(500)))
        for pause: Int64 in [1000, 1000, 2000] {
            world.killProcess("app", on: NodeID(2))
            world.run(pause)
        }
        try Self.compare(world, "process-death")
    }

    @Test
    func `An agent that restarts stops what it finds, and is given it anew`() throws {
        let world = Self.world(Clusters.three().with(Clusters.process("app")).located("app", on: "n2", Score(500)))
        world.killAgent(NodeID(2))
        world.run(200)
        world.boot(NodeID(2))
        world.run(2000)
        try Self.compare(world, "agent-restart")
    }

    @Test
    func `A move ends where it was ordered to, and leaves nothing behind`() throws {
        let world = Self.world(
            Clusters.three().with(Clusters.address("vip"), Clusters.process("app")).colocated(
                "vip",
                with: "app",
                .infinity
            )
        )
        world.commit(.move(resource: "vip", to: NodeID(3)))
        world.run(1000)
        #expect(world.state.moves.isEmpty)
        try Self.compare(world, "move")
    }

    @Test
    func `A node that leaves gives its resources away and is not fenced for its silence`() throws {
        let world = Self.world(Clusters.three().with(Clusters.address("vip")).located("vip", on: "n2", Score(500)))
        world.note("operator", "stops the agent of node 2")
        world.tell(NodeID(2), .leave)
        world.run(1000)
        world.powerOff(NodeID(2))
        world.run(3000)
        try Self.compare(world, "leave")
    }

    @Test
    func `A fence that fails is repeated for as long as the node is lost`() throws {
        let world = Self.world(Clusters.three().with(Clusters.process("app")).located("app", on: "n2", Score(500)))
        world.fenceTime = 500
        world.brokenDevices = [NodeID(2)]
        world.powerOff(NodeID(2))
        world.run(10_000)
        world.brokenDevices = []
        world.run(10_000)
        try Self.compare(world, "fence-fails")
    }

    /// A cluster that has settled, with the trace beginning now.
    private static func world(_ configuration: ClusterConfiguration) -> World {
        let world = World(configuration)
        world.start()
        world.run(2950)
        world.isTracing = true
        return world
    }

    private static func compare(_ world: World, _ name: String) throws {
        #expect(world.violations.isEmpty)
        let text = world.trace.filter { !$0.contains(": monitor ") }.joined(separator: "\n") + "\n"
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).txt")
        if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
            return
        }
        let wanted = try String(contentsOf: file, encoding: .utf8)
        #expect(text == wanted, "differs from Golden/\(name).txt")
    }
}
