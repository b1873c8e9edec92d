import ClusterModel
import Foundation
import Placement
import Recovery
import Testing

@Suite
struct ScenarioTests {
    @Test
    func `probe`() throws {
        guard let text = ProcessInfo.processInfo.environment["SEED"], let seed = UInt64(text) else { return }
        let world = Chaos.world(seed: seed)
        world.isTracing = true
        world.start()
        world.run(3000)
        Chaos.strike(world, until: world.now + .seconds(60))
        world.run(60_000)
        Chaos.heal(world)
        world.run(90_000)
        let before = world.starts
        world.run(15_000)
        print(world.trace.joined(separator: "\n"), before, world.starts)
        print(world.leader?.core.conditions ?? [], world.state.assignments, world.state.failures)
        print(world.leader?.core.plan?.decision(for: "vip") as Any)
    }
}
