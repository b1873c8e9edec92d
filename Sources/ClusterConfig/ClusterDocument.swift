public import ClusterModel

/// A cluster file that was read: the configuration, where each part of it stands, and which secrets are still to be
/// fetched.
public struct ClusterDocument: Sendable {
    /// The configuration, without secrets.
    ///
    /// No nodes: those of the running cluster stay as they are.
    public let configuration: ClusterConfiguration
    /// Where the secrets of fence devices come from, by device and parameter.
    public let secrets: [String: [String: SecretSource]]
    private let places: PlaceIndex

    /// Reads a file.
    ///
    /// All errors are told at once: first those of YAML itself, then those of single values, and once
    /// every value can be read, what does not fit together.
    public init(yaml: String) throws(Diagnostics) {
        var lowering = Lowering()
        guard let root = try SyntaxNode.parse(yaml) else {
            let start = SourcePosition(line: 1, column: 1)
            throw Diagnostics([Diagnostic(start, "the file is empty", remedy: "start with cluster: NAME")])
        }
        let configuration = lowering.lower(root)
        if !lowering.diagnostics.isEmpty { throw Diagnostics(lowering.diagnostics) }
        self.configuration = configuration
        secrets = lowering.secrets
        places = lowering.places
        // Without nodes most references could not be checked yet; the cluster's own are put in before `apply`.
        if !configuration.nodes.isEmpty {
            let problems = configuration.validate()
            if !problems.isEmpty { throw diagnostics(for: problems) }
        }
    }

    /// The same problems at their places in this file.
    public func diagnostics(for problems: [ConfigurationProblem]) -> Diagnostics {
        Diagnostics(
            problems.map { problem in
                Diagnostic(
                    places.position(of: problem.place),
                    "\(problem.place): \(problem.text)",
                    remedy: problem.remedy
                )
            }
        )
    }

    /// The configuration with its secrets; `fetch` gets the device, the parameter and where it comes from.
    public func resolved<Failure: Error>(
        _ fetch: (_ device: String, _ parameter: String, SecretSource) throws(Failure) -> Secret
    ) throws(Failure) -> ClusterConfiguration {
        var result = configuration
        for index in result.fenceDevices.indices {
            let name = result.fenceDevices[index].name
            for (parameter, source) in (secrets[name] ?? [:]).sorted(by: { $0.key < $1.key }) {
                result.fenceDevices[index].secrets[parameter] = try fetch(name, parameter, source)
            }
        }
        return result
    }
}

/// Where in a file the parts of a configuration stand.
struct PlaceIndex: Sendable {
    /// A place without its label.
    private struct Key: Hashable {
        var section: ConfigurationPlace.Section
        var index: Int?
        var server: Int?
        var field: String?
    }

    private var positions: [Key: SourcePosition] = [:]

    mutating func note(
        _ position: SourcePosition,
        _ section: ConfigurationPlace.Section,
        _ index: Int? = nil,
        server: Int? = nil,
        field: String? = nil
    ) {
        positions[Key(section: section, index: index, server: server, field: field)] = position
    }

    /// The nearest place that is known: the field, its element, its section, the start.
    func position(of place: ConfigurationPlace) -> SourcePosition {
        let (section, index) = (place.section, place.index)
        let candidates = [
            Key(section: section, index: index, server: place.server, field: place.field),
            Key(section: section, index: index, server: place.server, field: nil),
            Key(section: section, index: index, server: nil, field: place.field),
            Key(section: section, index: index, server: nil, field: nil),
            Key(section: section, index: nil, server: nil, field: place.field),
            Key(section: section, index: nil, server: nil, field: nil),
        ]
        return candidates.lazy.compactMap { positions[$0] }.first ?? SourcePosition(line: 1, column: 1)
    }
}
