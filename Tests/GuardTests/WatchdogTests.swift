import CLinux
import ClusterModel
import Foundation
import LinuxIO
import Processes
import Synchronization
import Testing

@testable import Guard

/// The watchdog, with a file in the place of the device: what is written to it is what the device would get.
@Suite(.enabled(if: Node.isPossible, "needs root for a network namespace of its own"), .timeLimit(.minutes(1)))
struct WatchdogTests {
    private static func food(_ node: Node) -> String {
        String(decoding: FileManager.default.contents(atPath: node.directory + "/watchdog") ?? Data(), as: UTF8.self)
    }

    private static func prepare(_ node: Node, _ selfFence: SelfFence) throws {
        try Data().write(to: URL(fileURLWithPath: node.directory + "/watchdog"))
        node.list.selfFence = selfFence
        node.list.leased = [node.name + "-leased"]
        try node.list.write(node.path)
    }

    @Test
    func `It is fed while the lease holds, and never without one, not even when nothing is left`() async throws {
        try await Node.run { node in
            try Self.prepare(node, .watchdog)
            // Its agent is dead: a guard without a watchdog would end.
            node.list.agent = ProcessIdentity(pid: 1, startTicks: 1)
            try node.list.write(node.path)
            var nodeGuard = try node.makeGuard()
            let now = Clock.monotonic()
            _ = nodeGuard.pass(now: now)
            #expect(Self.food(node) == "", "armed before there was a lease")
            node.word.end = now + .seconds(2)
            _ = nodeGuard.pass(now: now)
            _ = nodeGuard.pass(now: now + .seconds(1))
            #expect(Self.food(node) == "kk")
            #expect(NodeGuard.watchdogState(ofList: node.path) == "armed")
            for second in 3...20 { _ = nodeGuard.pass(now: now + .seconds(second)) }
            #expect(Self.food(node) == "kk")
            node.word.end = now + .seconds(100)
            _ = nodeGuard.pass(now: now + .seconds(21))
            #expect(Self.food(node) == "kkk")
            // The node leaves the cluster: the device rests.
            try FileManager.default.removeItem(atPath: node.path)
            nodeGuard.run()
            #expect(Self.food(node) == "kkkV")
        }
    }

    @Test
    func `It rests when the operator wants none any more`() async throws {
        try await Node.run { node in
            try Self.prepare(node, .watchdog)
            var nodeGuard = try node.makeGuard()
            node.word.end = Clock.monotonic() + .seconds(100)
            _ = nodeGuard.pass(now: Clock.monotonic())
            node.list.selfFence = .nothing
            try node.list.write(node.path)
            _ = nodeGuard.pass(now: Clock.monotonic())
            #expect(Self.food(node) == "kV")
            #expect(NodeGuard.watchdogState(ofList: node.path) == nil)
        }
    }

    @Test
    func `A device that takes longer than it may, or none at all, is not armed, and the reason is told`() async throws {
        try await Node.run { node in
            try Self.prepare(node, .watchdog)
            node.word.end = Clock.monotonic() + .seconds(100)
            var slow = try node.makeGuard { Int($0) + 55 }
            _ = slow.pass(now: Clock.monotonic())
            #expect(Self.food(node) == "V")
            #expect(NodeGuard.watchdogState(ofList: node.path)?.contains("5 s") == true)
            var deaf = try node.makeGuard { _ in -Int(ENOTTY) }
            _ = deaf.pass(now: Clock.monotonic())
            #expect(NodeGuard.watchdogState(ofList: node.path)?.contains("watchdog") == true)
            try FileManager.default.removeItem(atPath: node.directory + "/watchdog")
            var missing = try node.makeGuard()
            #expect(NodeGuard.watchdogState(ofList: node.path) == nil)
            _ = missing.pass(now: Clock.monotonic())
            #expect(NodeGuard.watchdogState(ofList: node.path)?.contains("No such file") == true)
            // A file is no watchdog: the kernel's own call says so.
            try Self.prepare(node, .watchdog)
            let failure = #expect(throws: SystemError.self) {
                _ = try Watchdog(path: node.directory + "/watchdog", seconds: 5, control: .kernel)
            }
            #expect(failure?.code == ENOTTY)
        }
    }

    @Test(arguments: SelfFence.allCases)
    func `The last resort is taken once, when something survives the end of the lease`(
        selfFence: SelfFence
    ) async throws {
        try await Node.run { node in
            try Self.prepare(node, selfFence)
            var nodeGuard = try node.makeGuard()
            let now = Clock.monotonic()
            let first = try node.start("-leased")
            _ = nodeGuard.pass(now: now)
            #expect(node.resorts.taken.withLock { $0 } == [], "killing was tried but once")
            _ = first
            for delay in [100, 110, 120] {
                // Something is there every time.
                _ = try node.start("-leased")
                _ = nodeGuard.pass(now: now + .milliseconds(Int64(delay)))
            }
            let expected = selfFence == .reboot ? ["reboot"] : selfFence == .command ? ["command"] : []
            #expect(node.resorts.taken.withLock { $0 } == expected)
            #expect(Self.food(node) == "")
        }
    }
}
