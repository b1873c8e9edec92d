internal import CLinux
public import ClusterModel
internal import LinuxIO

/// Asks a service again and again, and writes down what became of each attempt: the client's view of an outage.
///
/// Each attempt is a connection of its own with its own deadline; a new one begins at every interval, whatever became
/// of the earlier ones. With sessions, the attempts take turns, each session has one at a time, and a session that is
/// answered by another host than before has moved.
public struct ConnectionProbe: ~Copyable {
    /// What to ask and how.
    public struct Settings: Sendable {
        /// Where.
        public var endpoint: Endpoint
        /// The time between two attempts.
        public var interval = Duration.milliseconds(10)
        /// How long an attempt may take.
        public var patience = Duration.milliseconds(200)
        /// How many sessions; 0 for attempts without any.
        public var sessions = 0
        /// The cookie that holds a session.
        public var cookie = "SERVERID"

        /// Asks an endpoint with the usual times.
        public init(endpoint: Endpoint) { self.endpoint = endpoint }
    }

    /// More attempts at a time are never open; it is more than patience through interval.
    static let mostAttempts = 1024

    private struct Session {
        var cookie: String?
        var host: String?
        var isBusy = false
    }

    private final class Attempt {
        let socket: Descriptor
        let number: UInt64
        let began: Instant
        let session: Int
        var isAsked = false
        var received: [UInt8] = []

        init(_ socket: consuming Descriptor, _ number: UInt64, _ began: Instant, _ session: Int) {
            self.socket = socket
            self.number = number
            self.began = began
            self.session = session
        }
    }

    private let settings: Settings
    private let write: (String) -> Void
    private var poller: Poller
    private var attempts: [UInt64: Attempt] = [:]
    private var sessions: [Session]
    private var nextNumber: UInt64 = 1
    private var turn = 0
    private var lines = ""

    /// Prepares; `write` gets whole lines, several at a time.
    public init(_ settings: Settings, write: @escaping (String) -> Void) throws {
        self.settings = settings
        self.write = write
        poller = try Poller()
        sessions = Array(repeating: Session(), count: settings.sessions)
    }

    /// Probes until the process is killed.
    public mutating func run() throws {
        var next = Clock.monotonic()
        var events: [Poller.Event] = []
        while true {
            var now = Clock.monotonic()
            if now >= next {
                begin(now)
                // A machine that stood still gets no burst afterwards.
                next = max(next + settings.interval, now)
            }
            let oldest = attempts.values.map { $0.began + settings.patience }.min()
            events.removeAll(keepingCapacity: true)
            try poller.wait(until: oldest.map { min($0, next) } ?? next, now: now, into: &events)
            now = Clock.monotonic()
            for event in events { if let attempt = attempts[event.token] { progress(attempt, now) } }
            for attempt in attempts.values where now - attempt.began >= settings.patience {
                end(attempt, .none(reason: attempt.isAsked ? "no-answer" : "no-connection"), now)
            }
            if !lines.isEmpty {
                write(lines)
                lines = ""
            }
        }
    }

    private mutating func begin(_ now: Instant) {
        guard attempts.count < Self.mostAttempts else { return }
        var session = 0
        if !sessions.isEmpty {
            session = turn % sessions.count + 1
            turn += 1
            if sessions[session - 1].isBusy { return }
            sessions[session - 1].isBusy = true
        }
        let number = nextNumber
        nextNumber += 1
        do throws(SystemError) {
            let attempt = Attempt(try StreamSocket.connect(to: settings.endpoint), number, now, session)
            try poller.add(attempt.socket.number, .write, token: number)
            attempts[number] = attempt
        } catch {
            if session > 0 { sessions[session - 1].isBusy = false }
            note(.none(reason: "error-\(error.code)"), began: now, ended: now, session)
        }
    }

    private mutating func progress(_ attempt: Attempt, _ now: Instant) {
        let number = attempt.socket.number
        if !attempt.isAsked {
            let error = StreamSocket.error(of: number)
            guard error == 0 else { return end(attempt, .none(reason: "connect-\(error)"), now) }
            let request = Array(request(attempt).utf8)
            // A fresh connection takes a request of this size whole.
            let sent = request.withUnsafeBytes { haven_send(number, $0.baseAddress, $0.count, 0) }
            guard sent == request.count, (try? poller.modify(number, .read, token: attempt.number)) != nil else {
                return end(attempt, .none(reason: "send-\(-sent)"), now)
            }
            attempt.isAsked = true
            return
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { haven_recv(number, $0.baseAddress, $0.count, 0) }
        if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
        guard count > 0 else { return end(attempt, .none(reason: count == 0 ? "closed" : "receive-\(-count)"), now) }
        attempt.received += buffer[..<count]
        switch ProbeAnswer.read(attempt.received, cookieName: settings.cookie) {
        case .incomplete: return
        case .garbage: end(attempt, .wrong(reason: "no-HTTP"), now)
        case .complete(let answer): end(attempt, judge(answer, attempt), now)
        }
    }

    private func request(_ attempt: Attempt) -> String {
        let cookie = attempt.session > 0 ? sessions[attempt.session - 1].cookie : nil
        return """
            GET /?id=\(attempt.number) HTTP/1.1\r
            Host: \(settings.endpoint)\r
            \(cookie.map { "Cookie: \(settings.cookie)=\($0)\r\n" } ?? "")Connection: close\r
            \r

            """
    }

    private mutating func judge(_ answer: ProbeAnswer, _ attempt: Attempt) -> ProbeRecord.Outcome {
        if answer.status != 200 { return .wrong(reason: "status-\(answer.status)") }
        if answer.number != "\(attempt.number)" || answer.host.isEmpty { return .wrong(reason: "body") }
        guard attempt.session > 0 else { return .good(host: answer.host) }
        let before = sessions[attempt.session - 1].host
        if let cookie = answer.cookie { sessions[attempt.session - 1].cookie = cookie }
        sessions[attempt.session - 1].host = answer.host
        if let before, before != answer.host { return .moved(from: before, to: answer.host) }
        return .good(host: answer.host)
    }

    private mutating func end(_ attempt: Attempt, _ outcome: ProbeRecord.Outcome, _ now: Instant) {
        attempts[attempt.number] = nil
        if attempt.session > 0 { sessions[attempt.session - 1].isBusy = false }
        note(outcome, began: attempt.began, ended: now, attempt.session)
    }

    private mutating func note(_ outcome: ProbeRecord.Outcome, began: Instant, ended: Instant, _ session: Int) {
        let record = ProbeRecord(
            began: began.nanoseconds,
            ended: ended.nanoseconds,
            outcome: outcome,
            session: session
        )
        lines += record.line + "\n"
    }
}
