public import ClusterModel
internal import LinuxIO
import Synchronization

/// The agent's end of the control connection: opens listening sockets, because the proxy has no right to, and hands
/// them over with the plan.
///
/// Calls block up to their deadline, so they belong on a worker thread. After any error the connection is of no more
/// use: make a new client; the proxy goes on with the last plan meanwhile.
public final class ProxyClient: Sendable {
    private struct State: ~Copyable {
        var channel: ControlChannel
        var held: Set<Endpoint>
    }

    private let state: Mutex<State>
    /// How the proxy introduced itself.
    public let hello: ProxyHello

    /// Connects to a proxy's control socket and reads its greeting.
    public init(path: String, deadline: Instant) throws(ProxyControlError) {
        var channel = try ControlChannel(path: path)
        let frame = try channel.receive(deadline: deadline)
        guard frame.kind == .hello else { throw .protocolBreach("no greeting") }
        let hello = try frame.decode(ProxyHello.self)
        guard hello.version == ProxyHello.currentVersion, (1...PlanLimits.threads).contains(hello.threads) else {
            throw .protocolBreach("version \(hello.version), \(hello.threads) threads")
        }
        self.hello = hello
        state = Mutex(State(channel: channel, held: Set(hello.held)))
    }

    /// Makes the proxy run a plan; endpoints that cannot be bound are named in the result and do not stop the rest.
    public func apply(_ plan: ProxyPlan, deadline: Instant) throws(ProxyControlError) -> PlanResult {
        let threads = hello.threads
        return try state.withLock { (state) throws(ProxyControlError) -> PlanResult in
            var failures: [FailedBind] = []
            let wanted = plan.listeners.flatMap(\.listener.binds)
            for endpoint in wanted where !state.held.contains(endpoint) {
                if let failure = try Self.hand(endpoint, threads, to: &state, deadline: deadline) {
                    failures.append(failure)
                }
            }
            try state.channel.send(ControlFrame(.plan, plan), deadline: deadline)
            var result = try Self.expect(.result, PlanResult.self, from: &state.channel, deadline: deadline)
            if result.refusal == nil { state.held.formIntersection(wanted) }
            let known = Set(failures.map(\.endpoint))
            result.failedBinds = failures + result.failedBinds.filter { !known.contains($0.endpoint) }
            return result
        }
    }

    /// What the proxy is doing.
    public func status(deadline: Instant) throws(ProxyControlError) -> ProxyStatus {
        try state.withLock { (state) throws(ProxyControlError) -> ProxyStatus in
            try state.channel.send(ControlFrame(.statusRequest, [String: String]()), deadline: deadline)
            return try Self.expect(.status, ProxyStatus.self, from: &state.channel, deadline: deadline)
        }
    }

    /// What the proxy did lately, and why.
    public func exchanges(_ query: ExchangeQuery, deadline: Instant) throws(ProxyControlError) -> ExchangeReport {
        try state.withLock { (state) throws(ProxyControlError) -> ExchangeReport in
            try state.channel.send(ControlFrame(.exchangesRequest, query), deadline: deadline)
            return try Self.expect(.exchanges, ExchangeReport.self, from: &state.channel, deadline: deadline)
        }
    }

    /// Asks whether the proxy is alive, all its loops included.
    ///
    /// - Parameters:
    ///   - patience: How long it may take; only time in which this thread runs counts, so that a machine that stood still
    ///     does not look like a proxy that hangs.
    ///   - busyPatience: How long it may take while the proxy runs or waits for a processor: on a machine that has too much
    ///     to do it is late, and killing it would only add to that.
    /// - Throws: `timeout` for a proxy that hangs.
    public func heartbeat(patience: Duration, busyPatience: Duration = .zero) throws(ProxyControlError) {
        try state.withLock { (state) throws(ProxyControlError) in
            try state.channel.send(ControlFrame(.ping, [String: String]()), deadline: Clock.monotonic() + patience)
            let slices = max(1, patience.milliseconds / Self.slice.milliseconds)
            let busySlices = busyPatience.milliseconds / Self.slice.milliseconds
            var waited: Int64 = 0
            while waited < slices || (waited < busySlices && ProcessActivity.isBusy(hello.process)) {
                waited += 1
                do throws(ProxyControlError) {
                    let frame = try state.channel.receive(deadline: Clock.monotonic() + Self.slice)
                    guard frame.kind == .pong else { throw .protocolBreach("an answer to another question") }
                    return
                } catch {
                    guard error == .timeout else { throw error }
                }
            }
            throw .timeout
        }
    }

    /// The longest time that a stall of this thread can count as silence of the proxy.
    private static let slice = Duration.milliseconds(100)

    /// Opens one socket per thread and sends them; nil when that went well.
    private static func hand(
        _ endpoint: Endpoint,
        _ threads: Int,
        to state: inout State,
        deadline: Instant
    ) throws(ProxyControlError) -> FailedBind? {
        let sockets: ListeningSockets
        do throws(SystemError) {
            sockets = try ListeningSockets(endpoint: endpoint, count: threads)
        } catch { return FailedBind(endpoint: endpoint, reason: error.reason) }
        let frame = try ControlFrame(.sockets, endpoint, descriptorCount: threads)
        try state.channel.send(frame, descriptors: sockets.numbers, deadline: deadline)
        state.held.insert(endpoint)
        return nil
    }

    private static func expect<Answer: Decodable>(
        _ kind: ControlFrame.Kind,
        _ type: Answer.Type,
        from channel: inout ControlChannel,
        deadline: Instant
    ) throws(ProxyControlError) -> Answer {
        let frame = try channel.receive(deadline: deadline)
        guard frame.kind == kind else { throw .protocolBreach("an answer to another question") }
        return try frame.decode(type)
    }
}
