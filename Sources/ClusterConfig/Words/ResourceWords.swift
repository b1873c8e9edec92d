public import ClusterModel

/// The words of `resource create NAME AGENT …`, as pcs has them: parameters, then `op …` and `meta …`.
public enum ResourceWords {
    /// Reads `name=value … [op NAME name=value …] … [meta name=value …]`.
    public static func parse(name: String, agent: String, words: [String]) throws(WordProblems) -> Resource {
        var gathering = Gathering()
        let sections = Sections(words, &gathering)
        let resource = read(name: name, agent: agent, parameters: sections.parameters, &gathering)
        guard var resource else { throw WordProblems(problems: gathering.problems) }
        for (operation, settings) in sections.operations {
            gathering.attempt { () throws(WordProblem) in
                try set(operation: operation, settings, of: &resource, .seconds)
            }
        }
        for setting in sections.meta {
            gathering.attempt { () throws(WordProblem) in try set(meta: setting, of: &resource) }
        }
        try gathering.finish()
        return resource
    }

    /// The resource that agent and parameters describe; nil where not even its kind is known.
    static func read(
        name: String,
        agent: String,
        parameters: [Setting],
        _ gathering: inout Gathering
    ) -> Resource? {
        guard let kind = gathering.attempt({ () throws(WordProblem) in try Kind(agent) }) else { return nil }
        var values: [String: String] = [:]
        for setting in parameters {
            if values.updateValue(setting.value, forKey: setting.name) != nil {
                gathering.add(setting.name, "parameter \"\(setting.name)\" is given twice")
            }
        }
        let specification: ResourceKind? =
            switch kind {
            case .virtualIP: virtualIP(values, &gathering).map(ResourceKind.virtualIP)
            case .process: process(values, &gathering).map(ResourceKind.process)
            case .ocf(let provider, let type):
                .ocf(OCFSpecification(provider: provider, type: type, parameters: values))
            }
        return specification.map { Resource(name: name, kind: $0) }
    }

    /// What an agent's name says.
    private enum Kind {
        case virtualIP
        case process
        case ocf(provider: String, type: String)

        init(_ agent: String) throws(WordProblem) {
            let parts = agent.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            // "ocf::heartbeat:X" is how Pacemaker shows it, so people type it.
            let named = parts.count == 4 && parts[1].isEmpty ? [parts[0], parts[2], parts[3]] : parts
            switch (named.first, named.count) {
            case ("IPaddr2", 1), ("ip", 1): self = .virtualIP
            case ("process", 1): self = .process
            case ("ocf", 3):
                let isVirtualIP = named[1] == "heartbeat" && named[2] == "IPaddr2"
                self = isVirtualIP ? .virtualIP : .ocf(provider: named[1], type: named[2])
            case ("systemd", _), ("service", _), ("lsb", _), ("upstart", _):
                let remedy =
                    "use process command=\"/path/to/program …\", or an OCF agent; "
                    + "the load balancer itself needs no resource, it runs on every node"
                throw WordProblem("agent", "this version runs no \(named[0]): resources (\(agent))", remedy: remedy)
            case ("stonith", _):
                throw WordProblem("agent", "\"\(agent)\" is a fence agent", remedy: "use haven stonith create")
            case (.some(let type), 1) where NameRule.violation(type) == nil:
                self = .ocf(provider: "heartbeat", type: type)
            default:
                let remedy = "give IPaddr2, process or ocf:PROVIDER:TYPE"
                throw WordProblem("agent", "there is no agent \"\(agent)\"", remedy: remedy)
            }
        }
    }

    private static func virtualIP(_ values: [String: String], _ gathering: inout Gathering) -> VirtualIP? {
        let known = ["ip", "cidr_netmask", "nic"]
        for name in values.keys.sorted() where !known.contains(name) {
            let remedy = NearestName.remedy(name, among: known, what: "parameters")
            gathering.add(name, "the virtual IP has no parameter \"\(name)\"", remedy: remedy)
        }
        guard let text = values["ip"] else {
            gathering.add("ip", "the virtual IP has no address", remedy: "give ip=ADDRESS")
            return nil
        }
        let address = gathering.attempt { () throws(WordProblem) in try Values.address("ip", text) }
        guard let mask = values["cidr_netmask"] else {
            let remedy = "give cidr_netmask=BITS, such as \(address?.family == .v6 ? "64" : "24")"
            gathering.add("cidr_netmask", "the virtual IP has no cidr_netmask", remedy: remedy)
            return nil
        }
        let length = gathering.attempt { () throws(WordProblem) in try prefixLength(mask, address?.bits ?? 128) }
        guard let address, let length else { return nil }
        return VirtualIP(address: address, prefixLength: length, interface: values["nic"])
    }

    /// Bits, or a dotted IPv4 mask as IPaddr2 takes it too.
    private static func prefixLength(_ text: String, _ bits: Int) throws(WordProblem) -> Int {
        if bits == 32, text.contains("."), let mask = IPAddress(text) {
            let word = mask.bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            // The inverse of a mask is one less than a power of two.
            if word != 0, (~word & (~word &+ 1)) == 0 { return word.nonzeroBitCount }
        }
        return try Values.integer("cidr_netmask", text, 1...bits)
    }

    private static func process(_ values: [String: String], _ gathering: inout Gathering) -> ProcessSpecification? {
        var environment: [String: String] = [:]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if name.hasPrefix("env."), name.utf8.count > 4 {
                environment[String(name.dropFirst(4))] = value
            } else if !["command", "directory", "user"].contains(name) {
                let known = ["command", "directory", "user", "env.NAME"]
                let remedy = NearestName.remedy(name, among: known, what: "parameters")
                gathering.add(name, "a process has no parameter \"\(name)\"", remedy: remedy)
            }
        }
        guard let text = values["command"] else {
            gathering.add("command", "the process has no command", remedy: "give command=\"/path/to/program …\"")
            return nil
        }
        guard let command = gathering.attempt({ () throws(WordProblem) in try CommandWords.split(text) }) else {
            return nil
        }
        return ProcessSpecification(
            command: command,
            directory: values["directory"],
            user: values["user"],
            environment: environment
        )
    }
}
