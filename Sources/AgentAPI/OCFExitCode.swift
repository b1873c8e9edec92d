/// What an OCF agent's exit code says (OCF resource agent API 1.1, section 3.3).
public struct OCFExitCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The code as the process returned it.
    public let rawValue: Int32

    /// Wraps any code; one outside the API is a failure.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Success.
    public static let success = OCFExitCode(rawValue: 0)
    /// The parameters do not work on this node.
    public static let invalidParameter = OCFExitCode(rawValue: 2)
    /// What the agent needs is not on this node.
    public static let notInstalled = OCFExitCode(rawValue: 5)
    /// Cleanly not running.
    public static let notRunning = OCFExitCode(rawValue: 7)
    /// Running in the promoted role.
    public static let runningPromoted = OCFExitCode(rawValue: 8)
    /// Running, but likely to fail soon.
    public static let degraded = OCFExitCode(rawValue: 190)
    /// Promoted, but likely to fail soon.
    public static let degradedPromoted = OCFExitCode(rawValue: 191)

    /// The text form, in Pacemaker's words where it has some.
    public var description: String {
        switch rawValue {
        case 0: "ok"
        case 1: "error"
        case 2: "invalid parameter"
        case 3: "unimplemented action"
        case 4: "insufficient privileges"
        case 5: "not installed"
        case 6: "not configured"
        case 7: "not running"
        case 8: "promoted"
        case 9: "failed (promoted)"
        case 190: "degraded"
        case 191: "degraded (promoted)"
        default: "exit code \(rawValue), which the OCF API does not know"
        }
    }
}

/// What an operation on a resource does.
public enum OCFAction: String, Sendable {
    /// Brings it up; done when a monitor would agree.
    case start
    /// Takes it down; done when a monitor would agree.
    case stop
    /// Looks at it.
    case monitor
    /// Prints what the agent is.
    case metadata = "meta-data"
    /// Checks the parameters on this node.
    case validate = "validate-all"
}

/// What an agent's answer means for the action that was asked of it.
public enum OCFVerdict: Hashable, Sendable {
    /// As wanted: started, stopped, or running.
    case success
    /// Cleanly not running, said by a monitor.
    case notRunning
    /// Anything else, in words for the operator.
    case failed(String)

    /// Judges an exit code.
    ///
    /// - Parameters:
    ///   - action: What was asked.
    ///   - code: What the agent returned.
    ///   - reason: What the agent gave as `ocf-exit-reason`, or nil.
    ///   - isProbe: Whether a monitor only looks for what nobody started. What is not installed, or not usable with
    ///     these parameters on this node, does not run here either (as Pacemaker has it).
    public init(action: OCFAction, code: OCFExitCode, reason: String?, isProbe: Bool = false) {
        switch (action, code) {
        case (_, .success): self = .success
        case (.monitor, .notInstalled) where isProbe, (.monitor, .invalidParameter) where isProbe: self = .notRunning
        case (.monitor, .notRunning): self = .notRunning
        case (.monitor, .runningPromoted), (.monitor, .degraded), (.monitor, .degradedPromoted): self = .success
        default:
            let words = "\(action.rawValue) failed: \(code)"
            self = .failed(reason.map { "\(words) (\($0))" } ?? words)
        }
    }
}

/// Finds what an agent says about its failure.
public enum OCFExitReason {
    /// The prefix that the environment tells agents to use.
    public static let prefix = "ocf-exit-reason:"

    /// The last line that carries the prefix; nil when there is none.
    public static func find(in errorOutput: [UInt8]) -> String? {
        for line in errorOutput.split(separator: UInt8(ascii: "\n")).reversed() {
            let text = String(decoding: line, as: UTF8.self)
            guard let range = text.firstRange(of: prefix) else { continue }
            return String(text[range.upperBound...].prefix(longest))
        }
        return nil
    }

    /// The longest reason that is kept, in characters.
    public static let longest = 512
}
