/// A place in a file.
public struct SourcePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int

    /// Joins both.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The order of reading.
    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    /// `12:5`.
    public var description: String { "\(line):\(column)" }
}

/// One thing that is wrong with a file.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    /// Where.
    public var position: SourcePosition
    /// What is wrong.
    public var text: String
    /// What to do about it; empty where `text` says it already.
    public var remedy: String

    /// States what is wrong.
    public init(_ position: SourcePosition, _ text: String, remedy: String = "") {
        self.position = position
        self.text = text
        self.remedy = remedy
    }

    /// `12:5: there is no option "blance"; did you mean "balance"?`; compilers' form once a file's name stands before it.
    public var description: String { "\(position): \(text)\(remedy.isEmpty ? "" : "; \(remedy)")" }
}

/// Everything that is wrong with a file, in its order; never empty.
public struct Diagnostics: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public var list: [Diagnostic]

    /// Sorts by place.
    public init(_ list: [Diagnostic]) { self.list = list.sorted { $0.position < $1.position } }

    /// One line each.
    public var description: String { list.map(\.description).joined(separator: "\n") }

    /// One line each, with the file's name in front as compilers do.
    public func text(file: String) -> String { list.map { "\(file):\($0)" }.joined(separator: "\n") }
}
