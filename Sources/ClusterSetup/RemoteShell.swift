public import ClusterModel
import LinuxIO
import Processes

/// The operator's own way to run a command on another machine: `ssh` by default, any words by option.
///
/// The node's address and the command follow these words as arguments; no shell of ours sees them. (ssh itself hands the
/// command to the remote user's shell: all words of ours are plain there.)
public struct RemoteShell: Sendable, Hashable {
    /// The program and its first arguments.
    public var words: [String]

    /// How long a remote command may take: agents start, and one token is used, well within it.
    public static let timeout = Duration.seconds(60)

    /// `ssh` that asks nothing, so that a missing key is an error and not a prompt that hangs.
    public static let ssh = RemoteShell(words: ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"])

    /// Uses other words.
    public init(words: [String]) { self.words = words }

    /// Runs a command on a node; its output is returned, a failure is described by what it wrote.
    ///
    /// - Parameters:
    ///   - command: The words of the command.
    ///   - node: The node; its name is handed to the remote shell, as the operator would type it.
    ///   - step: What this is for, in the error.
    ///   - input: What the command reads.
    /// - Returns: What it wrote to standard output.
    /// - Throws: the step and what the command said.
    @discardableResult
    public func run(
        _ command: [String],
        on node: Node,
        step: String,
        input: [UInt8] = []
    ) throws(SetupError) -> String {
        guard let first = words.first, let program = first.contains("/") ? first : Invocation.find(first) else {
            throw .step(node: node.name, step: step, reason: "there is no program \"\(words.first ?? "")\"")
        }
        var invocation = Invocation(program, Array(words.dropFirst()) + [node.name] + command)
        invocation.input = input.isEmpty ? .nothing : .bytes(input)
        let result: RunResult
        do {
            result = try ChildProcess.run(invocation, timeout: Self.timeout)
        } catch {
            throw .step(node: node.name, step: step, reason: error.description)
        }
        if result.isSuccess { return result.output.text }
        let said = result.errors.text.split(separator: "\n").suffix(3).joined(separator: "; ")
        let reason = result.timedOut ? "no end after \(Self.timeout)" : result.exit.description
        throw .step(node: node.name, step: step, reason: said.isEmpty ? reason : "\(said) (\(reason))")
    }
}
