public import ClusterModel

extension ResourceWords {
    /// Words cut at `op` and `meta`.
    struct Sections {
        var parameters: [Setting] = []
        var operations: [(name: String, settings: [Setting])] = []
        var meta: [Setting] = []

        /// What follows a word that is no `name=value`.
        private enum Part {
            case parameters
            case operations
            case meta
        }

        init(_ words: [String], _ gathering: inout Gathering) {
            var part = Part.parameters
            for word in words {
                switch word {
                case "op": part = .operations
                case "meta": part = .meta
                case "params": part = .parameters
                case "clone", "promotable", "master", "bundle", "group", "--group", "ms":
                    let remedy = "a resource runs on one node at a time; join two with haven constraint colocation add"
                    gathering.add(word, "this version has no \"\(word)\" resources", remedy: remedy)
                default: add(word, part, &gathering)
                }
            }
        }

        private mutating func add(_ word: String, _ part: Part, _ gathering: inout Gathering) {
            if let setting = Setting(word) {
                switch part {
                case .parameters: parameters.append(setting)
                case .meta: meta.append(setting)
                case .operations where operations.isEmpty:
                    gathering.add(word, "\"\(word)\" follows no operation", remedy: "give op monitor \(word)")
                case .operations: operations[operations.count - 1].settings.append(setting)
                }
            } else if part == .operations {
                operations.append((word, []))
            } else {
                gathering.add(word, "\"\(word)\" is no parameter", remedy: "give NAME=VALUE")
            }
        }
    }

    static func set(
        operation: String,
        _ settings: [Setting],
        of resource: inout Resource,
        _ bare: BareTime
    ) throws(WordProblem) {
        guard ["start", "stop", "monitor"].contains(operation) else {
            let remedy = NearestName.remedy(operation, among: ["start", "stop", "monitor"], what: "operations")
            throw WordProblem(operation, "this version has no operation \"\(operation)\"", remedy: remedy)
        }
        for setting in settings {
            let what = "\(operation) \(setting.name)"
            switch (operation, setting.name) {
            case ("start", "timeout"): resource.operations.startTimeout = try time(what, setting, bare)
            case ("stop", "timeout"): resource.operations.stopTimeout = try time(what, setting, bare)
            case ("monitor", "timeout"): resource.operations.monitorTimeout = try time(what, setting, bare)
            case ("monitor", "interval"): resource.operations.monitorInterval = try time(what, setting, bare)
            case (_, "interval") where ["0", "0s"].contains(setting.value): break
            default:
                let remedy = operation == "monitor" ? "there are timeout and interval" : "there is timeout"
                throw WordProblem(setting.name, "this version has no \"\(what)\"", remedy: remedy)
            }
        }
    }

    /// No interval, no monitor: 0 needs no unit.
    private static func time(_ what: String, _ setting: Setting, _ bare: BareTime) throws(WordProblem) -> Milliseconds {
        try Values.time(what, setting.value == "0" ? "0s" : setting.value, bare)
    }

    /// The attributes that this version understands.
    static let knownMeta = ["is-managed", "multiple-active", "resource-stickiness", "requires", "target-role"]

    static func set(meta setting: Setting, of resource: inout Resource) throws(WordProblem) {
        let (name, value) = (setting.name, setting.value)
        switch name {
        case "is-managed": resource.managed = try Values.boolean(name, value)
        case "multiple-active":
            guard let policy = MultipleActive(rawValue: value) else {
                let known = MultipleActive.allCases.map(\.rawValue).joined(separator: ", ")
                throw WordProblem(name, "multiple-active cannot be \"\(value)\"", remedy: "give one of \(known)")
            }
            resource.multipleActive = policy
        case "resource-stickiness": resource.stickiness = try Values.score(name, value)
        case "requires":
            guard let requirement = Requirement(rawValue: value) else {
                let remedy =
                    "give nothing, lease or fencing" + (value == "quorum" ? "; lease is nearest to quorum" : "")
                throw WordProblem(name, "requires cannot be \"\(value)\"", remedy: remedy)
            }
            resource.requires = requirement
        case "target-role":
            switch value.lowercased() {
            case "started": resource.enabled = true
            case "stopped": resource.enabled = false
            default: throw WordProblem(name, "target-role cannot be \"\(value)\"", remedy: "give Started or Stopped")
            }
        default:
            let remedy = NearestName.remedy(name, among: knownMeta, what: "attributes")
            throw WordProblem(name, "this version has no attribute \"\(name)\"", remedy: remedy)
        }
    }

    /// The parameters as `parse` reads them back.
    public static func parameters(_ kind: ResourceKind) -> [Setting] {
        switch kind {
        case .virtualIP(let specification):
            [Setting(name: "ip", value: "\(specification.address)")]
                + [Setting(name: "cidr_netmask", value: "\(specification.prefixLength)")]
                + (specification.interface.map { [Setting(name: "nic", value: $0)] } ?? [])
        case .process(let specification):
            [Setting(name: "command", value: CommandWords.join(specification.command))]
                + (specification.directory.map { [Setting(name: "directory", value: $0)] } ?? [])
                + (specification.user.map { [Setting(name: "user", value: $0)] } ?? [])
                + sorted(specification.environment).map { Setting(name: "env." + $0.name, value: $0.value) }
        case .ocf(let specification): sorted(specification.parameters)
        }
    }

    /// The attributes that differ from the defaults.
    public static func meta(_ resource: Resource) -> [Setting] {
        var settings: [Setting] = []
        if !resource.managed { settings.append(Setting(name: "is-managed", value: "false")) }
        if let policy = resource.multipleActive {
            settings.append(Setting(name: "multiple-active", value: policy.rawValue))
        }
        if let stickiness = resource.stickiness {
            settings.append(Setting(name: "resource-stickiness", value: "\(stickiness)"))
        }
        if let requires = resource.requires { settings.append(Setting(name: "requires", value: requires.rawValue)) }
        if !resource.enabled { settings.append(Setting(name: "target-role", value: "Stopped")) }
        return settings
    }

    /// The operations' settings, by operation.
    public static func operations(_ resource: Resource) -> [(name: String, settings: [Setting])] {
        let operations = resource.operations
        return [
            ("start", [Setting(name: "timeout", value: "\(operations.startTimeout)")]),
            ("stop", [Setting(name: "timeout", value: "\(operations.stopTimeout)")]),
            (
                "monitor",
                [
                    Setting(name: "interval", value: "\(operations.monitorInterval)"),
                    Setting(name: "timeout", value: "\(operations.monitorTimeout)"),
                ]
            ),
        ]
    }

    static func sorted(_ values: [String: String]) -> [Setting] {
        values.sorted { $0.key < $1.key }.map { Setting(name: $0.key, value: $0.value) }
    }
}
