public import ClusterModel

/// Where a secret comes from; never from a command line, which every user of the machine can read.
public enum SecretSource: Hashable, Sendable {
    /// The first line of a file.
    case file(String)
    /// What is stored already.
    case stored
    /// The terminal, without echo.
    case prompt

    /// Reads `@FILE`, `****` or nothing; nil for anything else, which would be the secret itself.
    init?(_ text: String) {
        if text.isEmpty {
            self = .prompt
        } else if text == Secret.masked.exposed {
            self = .stored
        } else if text.hasPrefix("@"), text.utf8.count > 1 {
            self = .file(String(text.dropFirst()))
        } else {
            return nil
        }
    }
}

/// A fence device whose secrets are still to be fetched.
public struct FenceDeviceDraft: Hashable, Sendable {
    /// The device, without secrets.
    public var device: FenceDevice
    /// Where each secret comes from, by parameter.
    public var secrets: [String: SecretSource]

    /// The device with its secrets; `fetch` gets the parameter's name and where it comes from.
    public func resolved<Failure: Error>(
        _ fetch: (_ parameter: String, SecretSource) throws(Failure) -> Secret
    ) throws(Failure) -> FenceDevice {
        var result = device
        for (parameter, source) in secrets.sorted(by: { $0.key < $1.key }) {
            result.secrets[parameter] = try fetch(parameter, source)
        }
        return result
    }
}

/// The words of `stonith create NAME AGENT …`, as pcs has them.
public enum FenceDeviceWords {
    /// Reads `name=value …`; `pcmk_host_list` and `pcmk_host_map` say which nodes it powers off.
    public static func parse(name: String, agent: String, words: [String]) throws(WordProblems) -> FenceDeviceDraft {
        var gathering = Gathering()
        var draft = FenceDeviceDraft(device: FenceDevice(name: name, agent: agent, targets: [:]), secrets: [:])
        // "stonith:fence_ipmilan" is how Pacemaker shows it, so people type it.
        if agent.hasPrefix("stonith:") { draft.device.agent = String(agent.dropFirst("stonith:".count)) }
        var seen = Set<String>()
        for word in words {
            guard let setting = Setting(word) else {
                let remedy = ["op", "meta"].contains(word) ? "leave it and what follows out" : "give NAME=VALUE"
                gathering.add(word, "\"\(word)\" is no parameter", remedy: remedy)
                continue
            }
            gathering.attempt { () throws(WordProblem) in
                if !seen.insert(setting.name).inserted {
                    throw WordProblem(setting.name, "parameter \"\(setting.name)\" is given twice")
                }
                try set(setting, of: &draft)
            }
        }
        if draft.device.targets.isEmpty, !seen.contains(where: { $0.hasPrefix("pcmk_host_") }) {
            let remedy = "give pcmk_host_list=\"NODE …\" or pcmk_host_map=\"NODE:PLUG;…\""
            gathering.add("pcmk_host_list", "\"\(name)\" powers off no node", remedy: remedy)
        }
        try gathering.finish()
        return draft
    }

    private static func set(_ setting: Setting, of draft: inout FenceDeviceDraft) throws(WordProblem) {
        let (name, value) = (setting.name, setting.value)
        switch name {
        case "pcmk_host_list":
            for node in value.split(whereSeparator: { ",; ".contains($0) }) {
                draft.device.targets[String(node)] = draft.device.targets[String(node)] ?? ""
            }
        case "pcmk_host_map":
            for pair in value.split(whereSeparator: { "; ".contains($0) }) {
                guard let colon = pair.firstIndex(where: { ":=".contains($0) }), colon != pair.startIndex else {
                    throw WordProblem(
                        name,
                        "\"\(pair)\" is no NODE:PLUG",
                        remedy: "give pcmk_host_map=\"node1:1;node2:2\""
                    )
                }
                draft.device.targets[String(pair[..<colon])] = String(pair[pair.index(after: colon)...])
            }
        case "pcmk_host_check" where value == "static-list": break
        case _ where name.hasPrefix("pcmk_"):
            let remedy = "there are pcmk_host_list and pcmk_host_map; times come from the property stonith-timeout"
            throw WordProblem(name, "this version has no \"\(name)\"", remedy: remedy)
        case _ where isSecret(name):
            guard let source = SecretSource(value) else {
                let remedy =
                    "write it into a file of mode 0600 and give \(name)=@FILE, or give \(name)= to be asked for it"
                throw WordProblem(name, "\(name) is a secret, and a command line is not", remedy: remedy)
            }
            draft.secrets[name] = source
        default: draft.device.parameters[name] = value
        }
    }

    /// Whether a parameter of a fence agent is a secret, going by the names in use among fence-agents.
    public static func isSecret(_ name: String) -> Bool {
        let plain = name.lowercased()
        return plain.hasSuffix("passwd") || plain.hasSuffix("password") || plain.hasSuffix("secret")
            || ["hexadecimal_kg", "secret_key", "secretkey", "token", "api_token", "api_key", "community"].contains(
                plain
            )
    }

    /// The parameters as `parse` reads them back, secrets masked.
    public static func settings(_ device: FenceDevice) -> [Setting] {
        let secrets = device.secrets.keys.sorted().map { Setting(name: $0, value: Secret.masked.exposed) }
        let mapped = device.targets.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        let listed = device.targets.filter(\.value.isEmpty).keys.sorted()
        var targets: [Setting] = []
        if !listed.isEmpty { targets.append(Setting(name: "pcmk_host_list", value: listed.joined(separator: " "))) }
        if !mapped.isEmpty {
            let map = mapped.map { "\($0.key):\($0.value)" }.joined(separator: ";")
            targets.append(Setting(name: "pcmk_host_map", value: map))
        }
        return ResourceWords.sorted(device.parameters) + secrets + targets
    }
}
