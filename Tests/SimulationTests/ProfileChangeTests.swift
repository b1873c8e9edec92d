import ClusterModel
import Simulation
import Testing

/// The profile is changed in the middle of faults: the observer of leases and owners finds nothing to object to.
@Suite
struct ProfileChangeTests {
    private static func run(seed: UInt64) throws {
        var simulator = ClusterSimulator(options: ClusterOptions(ClusterOptions.example(nodes: 3)), seed: seed)
        var chance = SeededGenerator(seed: seed &* 77)
        try simulator.run(for: .seconds(3))
        for _ in 0..<12 {
            let profile = TimingProfile.allCases[Int.random(in: 0..<3, using: &chance)]
            simulator.configure { $0.properties.profile = profile }
            try simulator.run(for: .milliseconds(Int64.random(in: 0...120, using: &chance)))
            strike(&simulator, &chance)
            try simulator.run(for: .milliseconds(Int64.random(in: 20...3000, using: &chance)))
            bringBack(&simulator)
            try simulator.run(for: .milliseconds(Int64.random(in: 0...1500, using: &chance)))
        }
        // Who was told to leave may do so only now.
        for _ in 0..<120 where simulator.unfinished != nil {
            bringBack(&simulator)
            try simulator.run(for: .milliseconds(500))
        }
        #expect(simulator.unfinished == nil, "seed \(seed): \(simulator.unfinished ?? "")")
    }

    private static func bringBack(_ simulator: inout ClusterSimulator) {
        simulator.heal()
        for voter in simulator.voters {
            simulator.powerOn(voter)
            simulator.startAgent(voter)
        }
    }

    private static func strike(_ simulator: inout ClusterSimulator, _ chance: inout SeededGenerator) {
        let nodes = simulator.voters.shuffled(using: &chance)
        let leader = simulator.leader ?? nodes[0]
        switch Int.random(in: 0..<7, using: &chance) {
        case 0: simulator.powerOff(leader)
        case 1: simulator.killAgent(leader)
        case 2: simulator.partition([[leader], simulator.voters.filter { $0 != leader }])
        case 3: simulator.pause(leader, for: .milliseconds(Int64.random(in: 50...3000, using: &chance)))
        case 4: simulator.cut(from: nodes[0], to: nodes[1])
        case 5:
            simulator.killAgent(nodes[1])
            simulator.startAgent(nodes[1])
        default: simulator.leave(leader)
        }
    }

    @Test(arguments: 0..<6)
    func `Changing the profile in the middle of faults runs nothing twice`(block: Int) throws {
        for seed in UInt64(block) * 8 + 1...UInt64(block) * 8 + 2 { try Self.run(seed: seed) }
    }

    @Test(arguments: [(.lan, .fast), (.fast, .wan), (.wan, .fast), (.lan, .wan)] as [(TimingProfile, TimingProfile)])
    func `A change without faults loses nobody and stops nothing`(from: TimingProfile, to: TimingProfile) throws {
        for seed in 1...2 as ClosedRange<UInt64> {
            var options = ClusterOptions(ClusterOptions.example(nodes: 3))
            options.configuration.properties.profile = from
            options.machines.clockErrorPercent = 10
            var simulator = ClusterSimulator(options: options, seed: seed)
            #expect(try simulator.run(for: .seconds(30)) { $0.unfinished == nil })
            try simulator.run(for: .seconds(5))
            let leader = simulator.leader
            let starts = simulator.starts
            simulator.configure { $0.properties.profile = to }
            try simulator.run(for: .seconds(10))
            #expect(simulator.state.configuration.properties.profile == to)
            #expect(simulator.leader == leader && simulator.starts == starts && simulator.fences == 0)
        }
    }

    @Test(arguments: [(.fast, 500), (.lan, 2000), (.wan, 10_000)] as [(TimingProfile, Int64)])
    func `Addresses of a dead node are back within the time that the profile promises`(
        profile: TimingProfile,
        longest: Int64
    ) throws {
        for seed in 1...4 as ClosedRange<UInt64> {
            var options = ClusterOptions(ClusterOptions.example(nodes: 3))
            options.configuration.properties.profile = profile
            var simulator = ClusterSimulator(options: options, seed: seed)
            #expect(try simulator.run(for: .seconds(30)) { $0.unfinished == nil })
            let owner = try #require(simulator.places(of: "vip").first)
            simulator.powerOff(owner)
            let isBack = try simulator.run(for: .milliseconds(longest)) {
                guard let place = $0.places(of: "vip").first else { return false }
                return place != owner
            }
            #expect(isBack, "seed \(seed)")
        }
    }
}
