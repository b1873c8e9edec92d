/// Why a cluster could not be set up, joined, started, stopped or destroyed; each says what to do.
public enum SetupError: Error, Sendable, CustomStringConvertible {
    /// A node was named wrongly: the word, and what is wrong.
    case badWord(String, String)
    /// None of the named nodes is this machine.
    case notLocal([String])
    /// The machine is in a cluster already; the cluster's name.
    case alreadyMember(String)
    /// A step on a node failed: node, step, reason.
    case step(node: String, step: String, reason: String)
    /// The token cannot be read.
    case badToken(String)
    /// Anything else, in a sentence.
    case failed(String)

    /// The sentence for the operator.
    public var description: String {
        switch self {
        case .badWord(let word, let reason): "\(word): \(reason)"
        case .notLocal(let names):
            "none of \(names.joined(separator: ", ")) has an address of this machine; "
                + "run cluster setup on one of the nodes it names, or write NAME=ADDRESS"
        case .alreadyMember(let name):
            "this node is already in the cluster \"\(name)\"; to leave it for good: haven cluster destroy"
        case .step(let node, let step, let reason): "\(node): \(step) failed: \(reason)"
        case .badToken(let reason): "the token is not usable: \(reason); make a new one with: haven cluster token NODE"
        case .failed(let reason): reason
        }
    }

    /// The same with what is known of its cause.
    func adding(_ cause: String?) -> SetupError {
        guard let cause else { return self }
        return .failed("\(description): \(cause)")
    }
}
