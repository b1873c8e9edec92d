import ClusterModel

/// Takes the keys of one mapping out by name, and tells at the end which nobody took.
struct MappingReader {
    /// Where the mapping starts.
    let position: SourcePosition
    private var entries: [SyntaxEntry]
    private var known: [String] = []

    /// Reads a mapping; anything else is told and read as an empty one.
    init(_ node: SyntaxNode, _ what: String, _ diagnostics: inout [Diagnostic]) {
        position = node.position
        switch node.content {
        case .mapping(let entries): self.entries = entries
        case .empty: entries = []
        case .scalar, .sequence:
            entries = []
            let text = "\(what) is \(node.kind), not a mapping"
            diagnostics.append(Diagnostic(node.position, text, remedy: "write keys with values"))
        }
    }

    /// The value of a key; absent and empty ones are nil.
    mutating func take(_ key: String) -> SyntaxEntry? {
        known.append(key)
        guard let at = entries.firstIndex(where: { $0.key == key }) else { return nil }
        let entry = entries.remove(at: at)
        if case .empty = entry.value.content { return nil }
        return entry
    }

    /// Every key that was not taken yet.
    mutating func takeRest() -> [SyntaxEntry] {
        defer { entries = [] }
        return entries
    }

    /// Tells about the keys that nobody took.
    func finish(_ what: String, _ diagnostics: inout [Diagnostic]) {
        for entry in entries {
            let remedy = NearestName.remedy(entry.key, among: known, what: "keys")
            diagnostics.append(Diagnostic(entry.keyPosition, "\(what) has no key \"\(entry.key)\"", remedy: remedy))
        }
    }
}

extension SyntaxNode {
    /// The text; anything else is told and is nil.
    func text(_ what: String, _ diagnostics: inout [Diagnostic]) -> String? {
        if case .scalar(let text) = content { return text }
        diagnostics.append(Diagnostic(position, "\(what) is \(kind), not a text"))
        return nil
    }

    /// The items of a list; anything else is told and is empty.
    func items(_ what: String, _ diagnostics: inout [Diagnostic]) -> [SyntaxNode] {
        switch content {
        case .sequence(let items): return items
        case .empty: return []
        case .scalar, .mapping:
            let text = "\(what) is \(kind), not a list"
            diagnostics.append(Diagnostic(position, text, remedy: "start each item with \"- \""))
            return []
        }
    }

    /// One text, or a list of them.
    func texts(_ what: String, _ diagnostics: inout [Diagnostic]) -> [(text: String, position: SourcePosition)] {
        if case .scalar(let text) = content { return [(text, position)] }
        return items(what, &diagnostics).compactMap { item in
            item.text(what, &diagnostics).map { ($0, item.position) }
        }
    }
}
