import ClusterModel
import Recovery

/// What goes wrong in a simulation.
enum Chaos {
    static func world(seed: UInt64) -> World {
        var random = SeededGenerator(seed: seed &* 7919)
        var configuration = Clusters.three(fencing: seed % 4 != 3)
            .with(
                Clusters.address("vip"),
                Clusters.process("app"),
                Clusters.address("front", 101),
                Clusters.process("back"),
                Clusters.process("loner")
            )
            .colocated("front", with: "back", .infinity)
            .colocated("loner", with: "back", .minusInfinity)
        if Bool.random(using: &random) { configuration = configuration.colocated("vip", with: "app", .infinity) }
        if Bool.random(using: &random) { configuration = configuration.located("app", on: "n2", Score(50)) }
        if Bool.random(using: &random) { configuration = configuration.colocated("app", with: "vip", Score(20)) }
        let world = World(configuration, seed: seed)
        world.faults = Faults(
            lost: [0, 20, 200][Int(seed % 3)],
            doubled: 100,
            longestDelay: [1, 10, 60][Int(seed / 3 % 3)],
            latestCopy: [1, 300, 3000][Int(seed / 2 % 3)],
            cutsAtOrders: seed % 2 == 0 ? 60 : 0,
            failedStarts: 30,
            failedMonitors: 30,
            failedStops: seed % 5 == 0 ? 20 : 0,
            failedFences: 200
        )
        world.silence = seed / 4 % 2 == 0 ? 600 : 250
        return world
    }

    static func strike(_ world: World, until end: Instant) {
        let pause = Int64.random(in: 50...4000, using: &world.random)
        world.after(pause) { world in
            guard world.now < end else { return }
            strikeOnce(world)
            strike(world, until: end)
        }
    }

    private static func strikeOnce(_ world: World) {
        guard let node = world.nodes.randomElement(using: &world.random),
            let resource = world.state.configuration.resources.randomElement(using: &world.random)
        else { return }
        let back = Int64.random(in: 100...6000, using: &world.random)
        switch Int.random(in: 0..<14, using: &world.random) {
        case 0:
            world.powerOff(node)
            world.after(back) { $0.boot(node) }
        case 1:
            world.killAgent(node)
            world.after(back / 2) { $0.boot(node) }
        case 2, 3:
            world.cutOff(node, for: back)
        case 4, 5:
            if world.leader?.deposedUntil == nil, world.hasMajority(node) { world.elect(node, afterTransfer: true) }
        case 6: world.configure { $0.nodes[Int(node.rawValue) - 1].standby.toggle() }
        case 7: world.commit(.move(resource: resource.name, to: node))
        case 8:
            world.configure { configuration in
                guard let position = configuration.resources.firstIndex(where: { $0.name == resource.name }) else {
                    return
                }
                configuration.resources[position].enabled.toggle()
            }
        case 9: world.configure { $0.properties.resourceStickiness = Score(Int(back % 200)) }
        case 10:
            if let other = world.nodes.randomElement(using: &world.random) { world.cut(node, other, for: back) }
        case 11: world.stall(node, for: back)
        case 12: world.changeParameters(of: resource.name, Int(back))
        default: world.killProcess(resource.name, on: node)
        }
    }

    static func heal(_ world: World) {
        world.note("world", "faults end")
        world.faults = Faults()
        world.faults.longestDelay = 2
        for node in world.nodes {
            world.boot(node)
        }
        world.configure { configuration in
            for position in configuration.nodes.indices { configuration.nodes[position].standby = false }
            for position in configuration.resources.indices { configuration.resources[position].enabled = true }
            configuration.properties.resourceStickiness = Score(100)
        }
        for resource in world.state.configuration.resources {
            world.commit(.cleanup(resource: resource.name, node: nil))
        }
    }
}
