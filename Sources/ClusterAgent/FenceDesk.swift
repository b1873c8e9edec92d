import ClusterModel
import FenceRunner
import LinuxIO
import NodeCore
import Synchronization

/// The core thread's way to the fence runner.
final class FenceDesk: Sendable {
    private struct Order: Sendable {
        var node: NodeID
        var name: NodeName
        var incarnation: Incarnation
    }

    private struct Table {
        var next: UInt64 = 1
        var orders: [UInt64: Order] = [:]
    }

    private let runner: FenceRunner
    private let inbox: Inbox<AgentNews>
    private let table: SharedTable

    /// Shared with the runner's thread, which looks up whom an event is about.
    private final class SharedTable: Sendable {
        let content = Mutex(Table())
    }

    init(searchPath: [String], inbox: Inbox<AgentNews>) throws(SystemError) {
        let table = SharedTable()
        self.table = table
        self.inbox = inbox
        runner = try FenceRunner(searchPath: searchPath) { event in
            switch event {
            case .ended(let number, let result):
                guard let order = table.content.withLock({ $0.orders[number] }) else { return }
                switch result {
                case .verified(let device, let took):
                    inbox.put(.remark("\(order.name) is off by \(device), after \(took.milliseconds) ms"))
                    inbox.put(.fenceEnded(order.node, order.incarnation, failure: nil))
                case .failed(let reason):
                    _ = table.content.withLock { $0.orders.removeValue(forKey: number) }
                    inbox.put(.fenceEnded(order.node, order.incarnation, failure: reason))
                }
            case .poweredOn(let number, let failure):
                guard let order = table.content.withLock({ $0.orders.removeValue(forKey: number) }) else { return }
                let text = failure.map { "could not be powered on again: \($0)" } ?? "is powered on again"
                inbox.put(.remark("\(order.name) \(text)"))
            }
        }
    }

    /// Powers a node off, verifies it, reports, and powers it on again.
    func fence(
        _ node: NodeID,
        named name: NodeName,
        incarnation: Incarnation,
        devices: [FenceDevice],
        timeout: Duration
    ) {
        let number = table.content.withLock { table in
            defer { table.next += 1 }
            table.orders[table.next] = Order(node: node, name: name, incarnation: incarnation)
            return table.next
        }
        runner.fence(FenceOrder(id: number, node: name, devices: devices, timeout: timeout, powersOn: true))
    }

    /// Sends no "off" any more to a node for this incarnation or an earlier one.
    func withdraw(_ node: NodeID, incarnation: Incarnation) {
        let numbers = table.content.withLock { table in
            table.orders.filter { $0.value.node == node && $0.value.incarnation <= incarnation }.keys.sorted()
        }
        for number in numbers { runner.withdraw(order: number) }
    }

    /// Logs in to every device of some nodes and reports once: whether each node has a device that answers.
    func check(number: UInt64, _ checks: [FenceCheck]) {
        let round = CheckRound(left: checks.reduce(0) { $0 + $1.devices.count })
        for check in checks {
            for device in check.devices {
                runner.check(device) { [inbox] result in
                    guard let answers = round.take(check.node, result) else { return }
                    let silent = checks.first { answers[$0.node]?.contains(where: \.isEmpty) != true }
                    let reason = silent.map { "the fence device of \($0.node) does not answer: " }
                        .map { $0 + (answers[silent?.node ?? NodeID(0)] ?? []).joined(separator: "; ") }
                    inbox.put(.fenceDevicesChecked(number: number, failure: reason))
                }
            }
        }
    }

    /// Logs in to one device and reports.
    func check(number: UInt64, _ device: FenceDevice, timeout: Duration) {
        runner.check(device, timeout: timeout) { [inbox] result in
            let failure: String? = if case .failure(let failure) = result { "\(failure)" } else { nil }
            inbox.put(.deviceChecked(number: number, failure: failure))
        }
    }

    /// Answers of several devices, for as long as some are missing.
    private final class CheckRound: Sendable {
        private struct Answers {
            var left: Int
            /// What each device of a node said; empty when it answered.
            var failures: [NodeID: [String]] = [:]
        }

        private let answers: Mutex<Answers>

        init(left: Int) { answers = Mutex(Answers(left: left)) }

        /// Everything, once the last answer is there.
        func take(_ node: NodeID, _ result: Result<Duration, FenceFailure>) -> [NodeID: [String]]? {
            answers.withLock { answers in
                let failure = if case .failure(let failure) = result { "\(failure)" } else { "" }
                answers.failures[node, default: []].append(failure)
                answers.left -= 1
                return answers.left == 0 ? answers.failures : nil
            }
        }
    }

    func shutDown() { runner.shutDown() }
}
