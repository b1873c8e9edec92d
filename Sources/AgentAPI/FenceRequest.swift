public import ClusterModel

/// An action of a fence agent (ClusterLabs FenceAgentAPI).
public enum FenceAction: String, Sendable {
    /// Powers off and verifies.
    case off
    /// Powers on.
    case on
    /// Reads the power state.
    case status
    /// Reaches the device and logs in.
    case monitor
    /// Prints what the agent is.
    case metadata
}

/// What a fence agent reads on standard input: one `name=value` per line.
///
/// Nothing is ever put on its command line, because every user of the machine can read command lines.
public struct FenceRequest: Sendable {
    /// The lines, with the secrets in them: for the agent's input and nothing else.
    public let input: [UInt8]

    /// Why a device cannot be asked.
    public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// A line break would end the value and begin another parameter.
        case lineBreak(parameter: String)

        /// The text form.
        public var description: String {
            switch self {
            case .lineBreak(let parameter): "the parameter \"\(parameter)\" contains a line break"
            }
        }
    }

    /// The parameters that every request sets by itself.
    public static let supplied: Set<String> = ["action", "nodename", "plug", "port"]

    /// Asks for the agent's metadata, which takes no parameters.
    public static let metadata = FenceRequest(lines: ["action=metadata"])

    private init(lines: [String]) {
        input = Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Composes a request.
    ///
    /// - Parameters:
    ///   - action: What to do.
    ///   - node: The node it is done to; nil for a check of the device itself.
    ///   - device: The device with its parameters, secrets and targets.
    ///   - metadata: What the agent says of itself; nil when that is not known.
    ///   - time: How long the agent may take; its own waits are set below that.
    /// - Throws: when a value cannot be written as a line.
    public init(
        _ action: FenceAction,
        node: NodeName?,
        device: FenceDevice,
        metadata: AgentMetadata?,
        time: Duration
    ) throws(Refusal) {
        var values: [String: String] = [:]
        if let node {
            values["nodename"] = node
            for name in Self.plugNames(metadata) { values[name] = device.targets[node].flatMap(Self.nonempty) ?? node }
        }
        // The agent's waits end before ours, so that it can still say what went wrong. It would wait for ever when it
        // believes that Pacemaker started it.
        if metadata?.parameter("power_timeout") != nil { values["power_timeout"] = String(Self.powerTimeout(time)) }
        if metadata?.parameter("disable_timeout") != nil { values["disable_timeout"] = "0" }
        values.merge(device.parameters) { _, given in given }
        values.merge(device.secrets.mapValues(\.exposed)) { _, given in given }
        values["action"] = action.rawValue
        values["option"] = nil
        for (name, value) in values where (name + value).utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) {
            throw .lineBreak(parameter: String(name.prefix(NameRule.longest)))
        }
        self.init(lines: values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    }

    /// The parameters that carry the agent's word for the node: `plug` where the agent has it, else the older `port`.
    ///
    /// An agent whose metadata cannot be read gets both: names that an agent does not know are ignored by it.
    private static func plugNames(_ metadata: AgentMetadata?) -> [String] {
        guard let metadata else { return ["plug", "port"] }
        return [["plug", "port"].first { metadata.parameter($0) != nil }].compactMap { $0 }
    }

    private static func nonempty(_ text: String) -> String? { text.isEmpty ? nil : text }

    /// The agent's own limit for a change of power, in seconds: 20 as agents have by default, less when there is less
    /// time than that and the 5 s that log-in and reading take.
    static func powerTimeout(_ time: Duration) -> Int64 { min(20, max(1, time.components.seconds - 5)) }
}

/// What a fence agent answered.
public enum FenceAnswer: Hashable, Sendable {
    /// `off`, `on` or `monitor` succeeded.
    case done
    /// The power is on.
    case on
    /// The power is off.
    case off
    /// Nothing is known, for this reason.
    case failed(String)

    /// Judges an exit code; for `status`, 0 is on and 2 is off, and everything that is not exactly that is unknown.
    public init(action: FenceAction, exitCode: Int32, reason: String) {
        switch (action, exitCode) {
        case (.status, 0): self = .on
        case (.status, 2): self = .off
        case (.status, _): self = .failed(Self.sentence(reason, fallback: "status returned \(exitCode)"))
        case (_, 0): self = .done
        default: self = .failed(Self.sentence(reason, fallback: "\(action.rawValue) returned \(exitCode)"))
        }
    }

    private static func sentence(_ reason: String, fallback: String) -> String {
        reason.isEmpty ? fallback : "\(fallback): \(reason)"
    }
}
