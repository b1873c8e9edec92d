/// How a process ended.
public enum ProcessExit: Hashable, Sendable, CustomStringConvertible {
    /// By itself, with an exit code.
    case exited(code: Int32)
    /// By a signal.
    case killed(signal: Int32)

    /// Exit code 0.
    public var isSuccess: Bool { self == .exited(code: 0) }

    /// The text form.
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }

    /// What a shell would show: the code, or 128 and the signal's number.
    public var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .killed(let signal): 128 + signal
        }
    }
}

/// What was kept of a program's output.
public struct CapturedOutput: Hashable, Sendable {
    /// The first bytes, or the last ones where those were asked for; at most as many as the limit.
    public internal(set) var bytes: [UInt8] = []
    /// How many bytes were dropped.
    public internal(set) var dropped = 0

    mutating func keepEnd(_ more: [UInt8], limit: Int) {
        bytes += more
        let surplus = max(0, bytes.count - limit)
        bytes.removeFirst(surplus)
        dropped += surplus
    }

    /// The bytes as text, with a mark for what is not UTF-8.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
