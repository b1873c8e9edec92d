import ClusterModel
import Foundation
import LinuxIO
import Synchronization

/// Opens a connection to an address again and again, and knows the longest time without an answer.
///
/// An answer is an accepted connection or a refusal: both come from whoever has the address. The gap is measured from
/// the last answer before it to the first one after it.
final class OutageProbe: Sendable {
    /// The time between two attempts, whatever became of the earlier ones.
    static let interval = Duration.milliseconds(10)
    /// How long an attempt may take.
    static let patience = Duration.milliseconds(200)

    private struct State {
        var lastAnswer: Instant
        var longestGap = Duration.zero
        var isEnded = false
    }

    let endpoint: Endpoint
    private let state: Mutex<State>

    init(endpoint: Endpoint) {
        self.endpoint = endpoint
        state = Mutex(State(lastAnswer: Clock.monotonic()))
    }

    func begin() { Thread { [self] in run() }.start() }

    func end() { state.withLock { $0.isEnded = true } }

    /// The longest gap since the last call; one that goes on counts as far as it has gone.
    func takeLongestGap() -> Duration {
        state.withLock { state in
            let gap = max(state.longestGap, Clock.monotonic() - state.lastAnswer)
            state.longestGap = .zero
            return gap
        }
    }

    private func run() {
        var open: [(socket: Connection, began: Instant)] = []
        guard var poller = try? Poller() else { return }
        var next = Clock.monotonic()
        var events: [Poller.Event] = []
        while !state.withLock({ $0.isEnded }) {
            var now = Clock.monotonic()
            if now >= next {
                next = max(next + Self.interval, now)
                attempt(&open, &poller, now)
            }
            events.removeAll(keepingCapacity: true)
            guard (try? poller.wait(until: next, now: now, into: &events)) != nil else { return }
            now = Clock.monotonic()
            for event in events {
                guard let index = open.firstIndex(where: { UInt64($0.socket.number) == event.token }) else { continue }
                let error = StreamSocket.error(of: open[index].socket.number)
                open.remove(at: index)
                if error == 0 || error == ECONNREFUSED { answered(now) }
            }
            open.removeAll { now - $0.began > Self.patience }
        }
    }

    private func attempt(_ open: inout [(socket: Connection, began: Instant)], _ poller: inout Poller, _ now: Instant) {
        do throws(SystemError) {
            let socket = Connection(try StreamSocket.connect(to: endpoint))
            try poller.add(socket.number, .write, token: UInt64(socket.number))
            open.append((socket, now))
        } catch {
            if error.code == ECONNREFUSED { answered(now) }
        }
    }

    private func answered(_ now: Instant) {
        state.withLock { state in
            state.longestGap = max(state.longestGap, now - state.lastAnswer)
            state.lastAnswer = now
        }
    }

    /// A descriptor that an array can hold.
    private final class Connection {
        private let descriptor: Descriptor
        var number: Int32 { descriptor.number }

        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }
}
