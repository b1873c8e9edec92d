internal import Yams

/// A YAML document as it was written: every value is text with a place, and nothing is guessed from how it looks.
struct SyntaxNode {
    /// What stands there.
    enum Content {
        case scalar(String)
        /// Nothing, `~` or `null`.
        case empty
        case sequence([SyntaxNode])
        case mapping([SyntaxEntry])
    }

    var content: Content
    var position: SourcePosition

    /// For messages.
    var kind: String {
        switch content {
        case .scalar: "a text"
        case .empty: "nothing"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// One `key: value`.
struct SyntaxEntry {
    var key: String
    var keyPosition: SourcePosition
    var value: SyntaxNode
}

/// Bounds of what is read; a configuration at the limits of the model is far below them.
enum SyntaxLimits {
    static let bytes = 8 * 1024 * 1024
    /// Aliases can make a short file a large tree.
    static let nodes = 500_000
    static let depth = 32
}

extension SyntaxNode {
    /// Reads a document; an empty one is nil.
    static func parse(_ text: String) throws(Diagnostics) -> SyntaxNode? {
        let start = SourcePosition(line: 1, column: 1)
        if text.utf8.count > SyntaxLimits.bytes {
            throw Diagnostics([Diagnostic(start, "the file is larger than \(SyntaxLimits.bytes) bytes")])
        }
        try checkBrackets(text)
        let root: Node?
        do {
            root = try Parser(yaml: text).singleRoot()
        } catch let error as YamlError {
            throw Diagnostics([diagnostic(error, start)])
        } catch {
            throw Diagnostics([Diagnostic(start, "\(error)")])
        }
        guard let root else { return nil }
        var left = SyntaxLimits.nodes
        return try convert(root, start, depth: 0, &left)
    }

    /// The parser's composer calls itself for every level, so that a line of brackets could use up its stack.
    private static func checkBrackets(_ text: String) throws(Diagnostics) {
        var run = 0
        var line = 1
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): run += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): run = max(0, run - 1)
            case UInt8(ascii: "\n"): line += 1
            default: break
            }
            if run > 1000 {
                let place = SourcePosition(line: line, column: 1)
                throw Diagnostics([Diagnostic(place, "more than 1000 brackets are open at once")])
            }
        }
    }

    private static func convert(
        _ node: Node,
        _ parent: SourcePosition,
        depth: Int,
        _ left: inout Int
    ) throws(Diagnostics) -> SyntaxNode {
        let position = node.mark.map { SourcePosition(line: $0.line, column: $0.column) } ?? parent
        left -= 1
        if left < 0 { throw Diagnostics([Diagnostic(position, "there are more than \(SyntaxLimits.nodes) values")]) }
        if depth > SyntaxLimits.depth { throw Diagnostics([Diagnostic(position, "values are nested too deeply")]) }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            let isEmpty = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return SyntaxNode(content: isEmpty ? .empty : .scalar(scalar.string), position: position)
        case .sequence(let sequence):
            var items: [SyntaxNode] = []
            for item in sequence { items.append(try convert(item, position, depth: depth + 1, &left)) }
            return SyntaxNode(content: .sequence(items), position: position)
        case .mapping(let mapping):
            var entries: [SyntaxEntry] = []
            for (key, value) in mapping {
                let keyNode = try convert(key, position, depth: depth + 1, &left)
                guard case .scalar(let name) = keyNode.content else {
                    throw Diagnostics([Diagnostic(keyNode.position, "a key is \(keyNode.kind), not a text")])
                }
                let valueNode = try convert(value, keyNode.position, depth: depth + 1, &left)
                entries.append(SyntaxEntry(key: name, keyPosition: keyNode.position, value: valueNode))
            }
            return SyntaxNode(content: .mapping(entries), position: position)
        case .alias:
            throw Diagnostics([Diagnostic(position, "aliases are not understood here")])
        }
    }

    private static func diagnostic(_ error: YamlError, _ start: SourcePosition) -> Diagnostic {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = SourcePosition(line: mark.line, column: mark.column)
            let around = context.map { $0.text.isEmpty ? "" : " \($0.text)" } ?? ""
            return Diagnostic(
                place,
                "this is no YAML: \(problem)\(around)",
                remedy: "check indentation, colons and quotes"
            )
        case .duplicatedKeysInMapping(let duplicates, let context):
            let place = SourcePosition(line: context.mark.line, column: context.mark.column)
            let keys = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
            return Diagnostic(place, "key \(keys) is given twice in one mapping", remedy: "join them")
        case .reader(let problem, _, _, _):
            return Diagnostic(start, "the file is no UTF-8 text: \(problem)")
        default:
            return Diagnostic(start, "this is no YAML: \(error)")
        }
    }
}
