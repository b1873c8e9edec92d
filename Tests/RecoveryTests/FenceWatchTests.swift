import ClusterModel
import Recovery
import Testing

/// Which fence device is asked when, and which answers count (RULE 4.2-d).
@Suite
struct FenceWatchTests {
    /// A watch driven by hand: checks end when the test says so.
    private struct Script {
        var watch = FenceWatch(node: NodeID(1))
        var now = Instant.zero
        /// Checks that were begun and not ended, by device.
        var open: [String: UInt64] = [:]
        var timeouts: [Duration] = []
        var known = DeviceChecks()

        mutating func give(_ input: FenceWatch.Input) {
            var effects: [FenceWatch.Effect] = []
            watch.receive(input, now: now, wallClock: now.nanoseconds / 1_000_000, into: &effects)
            for effect in effects {
                switch effect {
                case .check(let number, let device, let timeout):
                    open[device.name] = number
                    timeouts.append(timeout)
                case .changed(let checks): known = checks
                }
            }
        }

        mutating func end(_ device: String, _ failure: String? = nil) {
            guard let number = open.removeValue(forKey: device) else { return }
            give(.ended(number: number, failure: failure))
        }

        /// Lets time pass as a shell does: from deadline to deadline.
        mutating func run(until milliseconds: Int64) {
            let end = Instant.zero + .milliseconds(milliseconds)
            while let deadline = watch.nextDeadline, deadline <= end {
                now = max(now, deadline)
                give(.tick)
            }
            now = end
        }

        var asked: [String] { open.keys.sorted() }
        var fenceable: [UInt8] { known.fenceable.map(\.rawValue) }
        var failures: [String] { known.checks.compactMap(\.failure) }
    }

    private static func configuration(_ interval: Milliseconds? = 10_000) -> ClusterConfiguration {
        var configuration = Clusters.three()
        configuration.properties.checkInterval = interval
        return configuration
    }

    private static func passed() -> Script {
        var script = Script()
        script.give(.configuration(configuration()))
        script.run(until: 5000)
        for device in script.asked { script.end(device) }
        return script
    }

    @Test
    func `Every device that can power off another node is asked, spread over the first seconds`() {
        var script = Script()
        script.give(.configuration(Self.configuration()))
        #expect(script.open.isEmpty)
        script.run(until: 5000)
        let names = Clusters.three().fenceDevices.filter { $0.targets["n1"] == nil }.map(\.name)
        #expect(names.count == 2 && script.asked == names.sorted())
        #expect(script.timeouts == [.seconds(10), .seconds(10)])
        #expect(script.fenceable.isEmpty)
        for device in names { script.end(device) }
        #expect(script.fenceable == [2, 3])
        #expect(script.known.checks.map(\.checkedAt) == [5000, 5000])
    }

    @Test
    func `A device is asked once per interval, and no sooner because it failed`() {
        var script = Self.passed()
        script.run(until: 20_000)
        let device = script.asked[0]
        script.end(device, "wrong password")
        #expect(script.failures == ["wrong password"] && script.fenceable.count == 1)
        script.now = script.now + .milliseconds(1)
        script.give(.tick)
        #expect(!script.asked.contains(device))
        let failedAt = script.now
        while !script.asked.contains(device), let deadline = script.watch.nextDeadline {
            script.now = deadline
            script.give(.tick)
        }
        #expect(script.now - failedAt > .seconds(1))
        script.end(device)
        #expect(script.failures.isEmpty && script.fenceable == [2, 3])
    }

    @Test
    func `A check that passed counts for three intervals`() {
        var script = Self.passed()
        script.now = script.now + .milliseconds(29_999)
        script.give(.tick)
        #expect(script.fenceable == [2, 3])
        script.now = script.now + .milliseconds(1)
        script.give(.tick)
        #expect(script.fenceable.isEmpty && script.failures.isEmpty)
    }

    @Test
    func `A check without an answer fails in time, and its late answer changes nothing`() {
        var script = Script()
        script.give(.configuration(Self.configuration()))
        script.run(until: 5000)
        let late = script.open
        script.now = script.now + .seconds(15)
        script.give(.tick)
        #expect(script.failures == ["no answer in time", "no answer in time"])
        for number in late.values { script.give(.ended(number: number, failure: nil)) }
        #expect(script.failures.count == 2 && script.fenceable.isEmpty)
    }

    @Test
    func `A device that was changed counts for nothing until it was asked anew`() throws {
        var script = Self.passed()
        script.run(until: 16_000)
        var changed = Self.configuration()
        let index = try #require(changed.fenceDevices.firstIndex { $0.targets["n2"] != nil })
        changed.fenceDevices[index].parameters["ip"] = "elsewhere"
        let name = changed.fenceDevices[index].name
        // One answer about what it was is still on its way.
        let stale = try #require(script.open[name])
        script.give(.configuration(changed))
        #expect(script.fenceable == [3])
        script.give(.ended(number: stale, failure: nil))
        #expect(script.fenceable == [3])
        script.open = [:]
        script.run(until: 22_000)
        script.end(name)
        #expect(script.fenceable == [2, 3])
        changed.fenceDevices = []
        script.give(.configuration(changed))
        #expect(script.known == DeviceChecks())
    }

    @Test
    func `No more than four are asked at once, and those that passed before those that did not`() {
        var script = Script()
        var configuration = Self.configuration()
        for number in 0..<8 {
            let device = FenceDevice(name: "d\(number)", agent: "fence_x", targets: ["n2": ""])
            configuration.fenceDevices.append(device)
        }
        script.give(.configuration(configuration))
        script.run(until: 5000)
        #expect(script.open.count == FenceWatch.mostChecks)
        // Two of them pass, everything else fails.
        var passing: Set<String> = []
        while let device = script.asked.first {
            if passing.count < 2 { passing.insert(device) }
            script.end(device, passing.contains(device) ? nil : "dead")
        }
        #expect(script.known.checks.count == 10 && script.failures.count == 8)
        script.now = script.now + .seconds(20)
        script.give(.tick)
        #expect(script.open.count == FenceWatch.mostChecks && passing.isSubset(of: script.open.keys))
    }
}
