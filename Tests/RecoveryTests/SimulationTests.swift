import ClusterModel
import Foundation
import Recovery
import Testing

/// Random faults over the real cores: whatever happens, nothing runs twice; when the faults end, everything runs.
///
/// `SIMULATION_SEEDS` asks for more seeds, `SIMULATION_SEED` for one with its story.
@Suite
struct SimulationTests {
    @Test(arguments: seeds)
    func `Nothing starts before its last place is known to be free, and all of it runs again`(seed: UInt64) {
        let world = Chaos.world(seed: seed)
        world.isTracing = Self.only != nil
        world.start()
        world.run(3000)
        Chaos.strike(world, until: world.now + .seconds(60))
        world.run(60_000)
        Chaos.heal(world)
        world.run(90_000)
        let before = world.starts
        world.run(15_000)
        if world.isTracing { print(world.trace.joined(separator: "\n")) }
        #expect(world.violations.isEmpty, "seed \(seed)")
        #expect(world.starts == before, "seed \(seed): placements still change")
        for resource in world.state.configuration.resources where resource.enabled {
            let places = world.nodes.filter { world.hosts[$0]?.active.contains(resource.name) == true }
            #expect(places.count == 1, "seed \(seed): \(resource.name) runs on \(places)")
            #expect(world.state.assignments[resource.name]?.node == places.first, "seed \(seed): \(resource.name)")
        }
    }

    private static let only = number("SIMULATION_SEED")
    private static let seeds = only.map { [$0] } ?? Array(0..<(number("SIMULATION_SEEDS") ?? 16))

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
