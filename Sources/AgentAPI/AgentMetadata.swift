public import ClusterModel

/// What an agent, of either API, says of itself.
public struct AgentMetadata: Hashable, Sendable {
    /// Its name, such as `Dummy` or `fence_ipmilan`.
    public var name: String
    /// One line about it.
    public var summary: String
    /// Its parameters, in its own order.
    public var parameters: [AgentParameter]
    /// Its actions, in its own order.
    public var actions: [AgentAction]

    /// Reads what an agent printed for `meta-data` or `metadata`.
    public init(parsing bytes: [UInt8]) throws(MetadataError) {
        let root = try MetadataReader.root(of: bytes)
        guard root.name == "resource-agent" else {
            throw MetadataError(offset: 0, reason: "<\(root.name)> in place of <resource-agent>")
        }
        name = root.attributes["name"] ?? ""
        summary = root.child("shortdesc")?.text ?? root.attributes["shortdesc"] ?? ""
        parameters = (root.child("parameters")?.children("parameter") ?? []).compactMap(AgentParameter.init(element:))
        actions = (root.child("actions")?.children("action") ?? []).compactMap(AgentAction.init(element:))
    }

    /// The parameter of that name.
    public func parameter(_ name: String) -> AgentParameter? { parameters.first { $0.name == name } }

    /// The first action of that name; a monitor may appear once per depth and role.
    public func action(_ name: String) -> AgentAction? { actions.first { $0.name == name } }
}

/// A parameter of an agent.
public struct AgentParameter: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Whether the agent does not work without it.
    public var required: Bool
    /// Whether two resources must not share its value.
    public var unique: Bool
    /// Kept for old configurations only.
    public var deprecated: Bool
    /// The parameter that it replaces.
    public var obsoletes: String?
    /// `string`, `integer`, `boolean`, `second`, `select` or `time`.
    public var type: String
    /// The value that the agent takes when it is absent.
    public var defaultValue: String?
    /// The values that a `select` allows.
    public var options: [String]
    /// One line about it.
    public var summary: String

    init?(element: MetadataElement) {
        guard let name = element.attributes["name"], !name.isEmpty else { return nil }
        let content = element.child("content")
        self.name = name
        required = Self.isTrue(element.attributes["required"])
        unique = Self.isTrue(element.attributes["unique"])
        deprecated = Self.isTrue(element.attributes["deprecated"]) || element.child("deprecated") != nil
        obsoletes = element.attributes["obsoletes"]
        type = content?.attributes["type"] ?? "string"
        defaultValue = content?.attributes["default"]
        options = (content?.children("option") ?? []).compactMap { $0.attributes["value"] }
        summary = element.child("shortdesc")?.text ?? ""
    }

    static func isTrue(_ text: String?) -> Bool { ["1", "true", "yes"].contains(text?.lowercased() ?? "") }
}

/// An action of an agent, with the times that it advises.
public struct AgentAction: Hashable, Sendable {
    /// Its name, such as `start` or `off`.
    public var name: String
    /// The time-out that the agent advises.
    public var timeout: Milliseconds?
    /// The interval that the agent advises for a monitor.
    public var interval: Milliseconds?
    /// Which depth of a monitor this is; 0 is the ordinary one.
    public var depth: Int
    /// The role that a monitor is for; nil for any.
    public var role: String?

    init?(element: MetadataElement) {
        guard let name = element.attributes["name"], !name.isEmpty else { return nil }
        self.name = name
        timeout = element.attributes["timeout"].flatMap { Milliseconds($0, bare: .seconds) }
        interval = element.attributes["interval"].flatMap { Milliseconds($0, bare: .seconds) }
        depth = element.attributes["depth"].flatMap { Int($0) } ?? 0
        role = element.attributes["role"]
    }
}
