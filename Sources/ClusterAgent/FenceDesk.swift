import ClusterModel
import FenceRunner
import LinuxIO
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
    private let table: SharedTable

    /// Shared with the runner's thread, which looks up whom an event is about.
    private final class SharedTable: Sendable {
        let content = Mutex(Table())
    }

    init(searchPath: [String], inbox: Inbox<AgentNews>) throws(SystemError) {
        let table = SharedTable()
        self.table = table
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

    func shutDown() { runner.shutDown() }
}
