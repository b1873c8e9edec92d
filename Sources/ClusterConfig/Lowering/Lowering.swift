import ClusterModel

/// Turns a tree of texts into a configuration, and keeps everything that is wrong on the way.
struct Lowering {
    var diagnostics: [Diagnostic] = []
    var places = PlaceIndex()
    var secrets: [String: [String: SecretSource]] = [:]

    mutating func lower(_ root: SyntaxNode) -> ClusterConfiguration {
        var reader = MappingReader(root, "the file", &diagnostics)
        let name = requiredText("cluster", &reader, "the file", example: "cluster: openstack")
        var configuration = ClusterConfiguration(name: name?.text ?? "", nodes: [])
        if let name { places.note(name.position, .name) }
        each("nodes", .nodes, &reader) { lowering, item, index in
            configuration.nodes.append(lowering.node(item, index))
        }
        if let entry = reader.take("properties") { properties(entry, &configuration.properties) }
        each("resources", .resources, &reader) { lowering, item, index in
            if let resource = lowering.resource(item, index) { configuration.resources.append(resource) }
        }
        if let entry = reader.take("constraints") { constraints(entry, &configuration) }
        each("stonith", .fenceDevices, &reader) { lowering, item, index in
            configuration.fenceDevices.append(lowering.fenceDevice(item, index))
        }
        each("listeners", .listeners, &reader) { lowering, item, index in
            if let listener = lowering.listener(item, index) { configuration.listeners.append(listener) }
        }
        reader.finish("the file", &diagnostics)
        return configuration
    }

    /// Lowers each item of a list; the section's place is noted.
    mutating func each(
        _ key: String,
        _ section: ConfigurationPlace.Section,
        _ reader: inout MappingReader,
        _ body: (inout Lowering, SyntaxNode, Int) -> Void
    ) {
        guard let entry = reader.take(key) else { return }
        places.note(entry.keyPosition, section)
        for (index, item) in entry.value.items("\"\(key)\"", &diagnostics).enumerated() {
            places.note(item.position, section, index)
            body(&self, item, index)
        }
    }

    /// The text of a key that must be there.
    mutating func requiredText(
        _ key: String,
        _ reader: inout MappingReader,
        _ what: String,
        example: String
    ) -> (text: String, position: SourcePosition)? {
        guard let entry = reader.take(key) else {
            diagnostics.append(Diagnostic(reader.position, "\(what) has no \"\(key)\"", remedy: "add \(example)"))
            return nil
        }
        return entry.value.text("\"\(key)\"", &diagnostics).map { ($0, entry.value.position) }
    }

    /// The text of a key that may be there.
    mutating func optionalText(_ key: String, _ reader: inout MappingReader) -> (text: String, at: SourcePosition)? {
        guard let entry = reader.take(key) else { return nil }
        return entry.value.text("\"\(key)\"", &diagnostics).map { ($0, entry.value.position) }
    }

    /// What `body` returns, or nil with its problem noted at `position`.
    mutating func attempt<Value>(
        at position: SourcePosition,
        _ body: () throws(WordProblem) -> Value
    ) -> Value? {
        do throws(WordProblem) {
            return try body()
        } catch {
            diagnostics.append(Diagnostic(position, error.text, remedy: error.remedy))
            return nil
        }
    }

    /// Notes problems of words at the places of their keys.
    mutating func add(_ problems: [WordProblem], at places: [String: SourcePosition], else position: SourcePosition) {
        for problem in problems {
            diagnostics.append(Diagnostic(places[problem.key] ?? position, problem.text, remedy: problem.remedy))
        }
    }

    /// Entries as `name=value`; a list is joined by commas, as HAProxy writes several of a kind, and a list of rules by
    /// line breaks.
    mutating func settings(_ entries: [SyntaxEntry]) -> [Setting] {
        entries.compactMap { entry in
            switch entry.value.content {
            case .scalar(let text): return Setting(name: entry.key, value: text)
            case .empty: return Setting(name: entry.key, value: "")
            case .sequence:
                let texts = entry.value.texts("\"\(entry.key)\"", &diagnostics).map(\.text)
                let separator = ["http-check", "tcp-check"].contains(entry.key) ? "\n" : ","
                return Setting(name: entry.key, value: texts.joined(separator: separator))
            case .mapping:
                let text = "\"\(entry.key)\" is a mapping, not a text"
                diagnostics.append(Diagnostic(entry.value.position, text))
                return nil
            }
        }
    }

    func positions(_ entries: [SyntaxEntry]) -> [String: SourcePosition] {
        Dictionary(entries.map { ($0.key, $0.keyPosition) }) { first, _ in first }
    }
}
