public import AdminAPI
public import ClusterConfig

/// What a command ends with when it does not succeed: a text for the operator and an exit code for scripts.
public struct CommandFailure: Error, Hashable, Sendable {
    /// The exit codes.
    public enum Code: Int32, Sendable {
        /// Carried out.
        case done = 0
        /// Not carried out.
        case failed = 1
        /// Not understood.
        case usage = 2
        /// Nobody can decide: no quorum, or no agent on this node.
        case unreachable = 3
    }

    /// The exit code.
    public var code: Code
    /// What is wrong, where, and what to do.
    public var message: String

    /// States a failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A failure that the agent reported.
    public init(_ failure: AdminFailure) {
        code = failure.kind == .noQuorum ? .unreachable : .failed
        message = failure.remedy.isEmpty ? failure.message : "\(failure.message); \(failure.remedy)"
    }

    /// No answer from the agent.
    public init(_ error: AdminClientError) {
        switch error {
        case .agentDown(let path):
            let remedy = "start it with haven cluster start, or set a cluster up with haven cluster setup"
            self.init(.unreachable, "the agent on this node does not run (\(path)); \(remedy)")
        case .denied(let path):
            self.init(.failed, "you may not use \(path); become root, or a member of the group \(AdminLimits.group)")
        case .timeout(let seconds):
            let remedy = "whether it is carried out, haven status shows"
            self.init(.failed, "the agent did not answer within \(seconds) seconds; \(remedy)")
        case .disconnected:
            self.init(
                .unreachable,
                "the agent ended the connection; whether it carried the request out, see haven status"
            )
        case .malformed(let text):
            self.init(.failed, "the answer of the agent is not understood; is it of the same version? (\(text))")
        case .system(let text): self.init(.failed, "the agent cannot be reached: \(text)")
        }
    }

    /// Words that are not understood.
    public init(_ problems: WordProblems) { self.init(.usage, "\(problems)") }
}
