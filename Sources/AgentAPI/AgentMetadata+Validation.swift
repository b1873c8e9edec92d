public import ClusterModel

extension AgentMetadata {
    /// Looks for everything that is wrong with parameters that an operator gave.
    ///
    /// - Parameters:
    ///   - given: The parameters by name; values of secrets may be left empty, they are not looked at.
    ///   - supplied: Names that the cluster itself gives at run time, such as `plug` or `action`.
    /// - Returns: One sentence each; empty when they are fine.
    public func violations(of given: [String: String], supplied: Set<String> = []) -> [String] {
        var sentences: [String] = []
        for (name, value) in given.sorted(by: { $0.key < $1.key }) {
            guard let parameter = parameter(name) else {
                sentences.append(unknown(name))
                continue
            }
            if let sentence = parameter.violation(of: value) { sentences.append(sentence) }
        }
        for parameter in parameters where parameter.required && (parameter.defaultValue ?? "").isEmpty {
            let names = alternatives(to: parameter)
            if names.isDisjoint(with: given.keys), names.isDisjoint(with: supplied) {
                sentences.append("\(self.name) needs the parameter \"\(parameter.name)\" (\(parameter.summary))")
            }
        }
        return sentences
    }

    /// Looks for everything that is wrong with a fence device.
    ///
    /// - Parameter device: A device of this agent.
    /// - Returns: One sentence each, without secrets; empty when nothing is.
    public func violations(of device: FenceDevice) -> [String] {
        var given = device.parameters
        for name in device.secrets.keys { given[name] = "" }
        // What has to be there to power off and to prove it.
        let missing = [FenceAction.off, .status].filter { action($0.rawValue) == nil }
        return violations(of: given, supplied: FenceRequest.supplied)
            + missing.map { "\(name) has no action \"\($0.rawValue)\", so it cannot fence" }
    }

    private func unknown(_ name: String) -> String {
        let near = parameters.filter { !$0.deprecated }.map { ($0.name, Self.distance(name, $0.name)) }
            .min { $0.1 < $1.1 }
        let hint = near.flatMap { $0.1 <= max(2, name.count / 3) ? "; did you mean \"\($0.0)\"?" : nil } ?? ""
        return "\(self.name) has no parameter \"\(name)\"\(hint)"
    }

    /// The names under which a parameter may be given: its own, those it replaces and those that replace it.
    private func alternatives(to parameter: AgentParameter) -> Set<String> {
        var names: Set<String> = [parameter.name]
        if let old = parameter.obsoletes { names.insert(old) }
        for other in parameters where other.obsoletes == parameter.name { names.insert(other.name) }
        return names
    }

    /// The number of letters to change, add or take away (Levenshtein), for "did you mean".
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8.prefix(NameRule.longest))
        let right = Array(right.utf8.prefix(NameRule.longest))
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let above = row[column + 1]
                let changed = diagonal + (byte == right[column] ? 0 : 1)
                row[column + 1] = min(changed, above + 1, row[column] + 1)
                diagonal = above
            }
        }
        return row[right.count]
    }

    /// The times that the agent advises, where it does; the API's own defaults elsewhere.
    ///
    /// A monitor's interval is taken from the ordinary monitor, the one of depth 0.
    public func operationSettings(defaults: OperationSettings) -> OperationSettings {
        let monitor = actions.first { $0.name == "monitor" && $0.depth == 0 } ?? action("monitor")
        return OperationSettings(
            start: action("start")?.timeout ?? defaults.startTimeout,
            stop: action("stop")?.timeout ?? defaults.stopTimeout,
            monitor: monitor?.timeout ?? defaults.monitorTimeout,
            interval: monitor?.interval ?? defaults.monitorInterval
        )
    }
}

extension AgentParameter {
    /// Why a value cannot be of this parameter's type; nil when it can.
    ///
    /// Empty values are the agent's own affair.
    func violation(of value: String) -> String? {
        if value.isEmpty { return nil }
        switch type {
        case "integer":
            return Int(value) == nil ? "\"\(name)\" is a whole number, not \"\(value)\"" : nil
        case "boolean":
            let words: Set<String> = ["1", "0", "yes", "no", "true", "false", "on", "off"]
            return words.contains(value.lowercased()) ? nil : "\"\(name)\" is true or false, not \"\(value)\""
        case "select" where !options.isEmpty:
            let words = options.joined(separator: ", ")
            return options.contains(value) ? nil : "\"\(name)\" is one of \(words), not \"\(value)\""
        default: return nil
        }
    }
}
