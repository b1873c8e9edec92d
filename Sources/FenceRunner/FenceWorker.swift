internal import AgentAPI
internal import ClusterModel
internal import LinuxIO
internal import Supervision

/// Carries orders out on the runner's thread: one `FenceSequence` each, its effects executed here.
final class FenceWorker {
    /// What other threads ask for.
    enum Message: Sendable {
        case fence(FenceOrder)
        case withdraw(UInt64)
        case check(FenceDevice, Duration, @Sendable (Result<Duration, FenceFailure>) -> Void)
        case readPower(NodeName, FenceDevice, Duration, @Sendable (PowerReading) -> Void)
        case describe(String, @Sendable (Result<AgentMetadata, FenceFailure>) -> Void)
        case shutDown
    }

    private let loop: EventLoop
    private let agents: FenceAgents
    private let sink: @Sendable (FenceEvent) -> Void
    private var orders: [UInt64: Execution] = [:]

    /// An order under way.
    private struct Execution {
        let order: FenceOrder
        let began: Instant
        var sequence: FenceSequence
    }

    /// How many orders are carried out at a time: more than there are nodes in a cluster.
    private static let mostOrders = 256

    init(loop: EventLoop, agents: FenceAgents, sink: @escaping @Sendable (FenceEvent) -> Void) {
        self.loop = loop
        self.agents = agents
        self.sink = sink
    }

    func receive(_ message: Message) {
        switch message {
        case .fence(let order): begin(order)
        case .withdraw(let order): advance(order, .withdrawn)
        case .check(let device, let timeout, let completion): check(device, timeout, completion)
        case .readPower(let node, let device, let timeout, let completion):
            agents.ask(.status, node: node, device: device, deadline: Clock.monotonic() + timeout) { answer in
                switch answer {
                case .on: completion(.on)
                case .off: completion(.off)
                case .failed(let reason): completion(.unknown(reason))
                case .done: completion(.unknown("status did not say on or off"))
                }
            }
        case .describe(let agent, let completion): agents.describe(agent: agent) { completion($0) }
        case .shutDown: loop.stop()
        }
    }

    private func check(
        _ device: FenceDevice,
        _ timeout: Duration,
        _ completion: @escaping @Sendable (Result<Duration, FenceFailure>) -> Void
    ) {
        let began = Clock.monotonic()
        agents.ask(.monitor, node: nil, device: device, deadline: began + timeout) { answer in
            switch answer {
            case .done: completion(.success(Clock.monotonic() - began))
            case .failed(let reason): completion(.failure(FenceFailure(reason)))
            case .on, .off: completion(.failure(FenceFailure("monitor was answered by a reading")))
            }
        }
    }

    private func begin(_ order: FenceOrder) {
        guard orders.count < Self.mostOrders, orders[order.id] == nil else {
            return sink(.ended(order: order.id, .failed("too many fences at a time, or one of this number goes on")))
        }
        let began = Clock.monotonic()
        let sequence = FenceSequence(
            devices: order.devices.map(\.name),
            deadline: began + order.timeout,
            powersOn: order.powersOn
        )
        orders[order.id] = Execution(order: order, began: began, sequence: sequence)
        advance(order.id, .begin)
    }

    private func advance(_ id: UInt64, _ input: FenceSequence.Input) {
        guard var execution = orders[id] else { return }
        var effects: [FenceSequence.Effect] = []
        execution.sequence.receive(input, now: Clock.monotonic(), into: &effects)
        orders[id] = execution
        if let deadline = execution.sequence.nextDeadline {
            loop.schedule(at: deadline) { [weak self] in self?.advance(id, .timePassed) }
        }
        for effect in effects { execute(effect, of: execution) }
    }

    private func execute(_ effect: FenceSequence.Effect, of execution: Execution) {
        let order = execution.order
        switch effect {
        case .run(let device, let action, let deadline):
            agents.ask(
                action,
                node: order.node,
                device: order.devices[device],
                deadline: deadline,
                unless: { [weak self] in action == .off && self?.orders[order.id]?.sequence.isWithdrawn != false },
                completion: { [weak self] in self?.advance(order.id, .answered($0)) }
            )
        case .verified(let device):
            let took = Clock.monotonic() - execution.began
            sink(.ended(order: order.id, .verified(device: order.devices[device].name, took: took)))
        case .failed(let reason): sink(.ended(order: order.id, .failed(reason)))
        case .poweredOn(let failure): sink(.poweredOn(order: order.id, failure: failure))
        case .ended: orders[order.id] = nil
        }
    }
}
