/// One thing that is wrong with words of an operator.
public struct WordProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The option, parameter or word in question, for finding its place in a file; empty for the whole.
    public var key: String
    /// What is wrong.
    public var text: String
    /// What to do about it; empty where `text` says it already.
    public var remedy: String

    /// States a problem.
    public init(_ key: String, _ text: String, remedy: String = "") {
        self.key = key
        self.text = text
        self.remedy = remedy
    }

    /// What is wrong, and what to do.
    public var description: String { remedy.isEmpty ? text : "\(text); \(remedy)" }
}

/// Everything that is wrong with words of an operator, in their order; never empty.
public struct WordProblems: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problems.
    public var problems: [WordProblem]

    /// One line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers problems, so that all are told at once.
struct Gathering {
    private(set) var problems: [WordProblem] = []

    mutating func add(_ key: String, _ text: String, remedy: String = "") {
        problems.append(WordProblem(key, text, remedy: remedy))
    }

    mutating func add(_ problem: WordProblem) { problems.append(problem) }

    /// What `body` returns, or nil with its problem kept.
    mutating func attempt<Value>(_ body: () throws(WordProblem) -> Value) -> Value? {
        do throws(WordProblem) {
            return try body()
        } catch {
            problems.append(error)
            return nil
        }
    }

    func finish() throws(WordProblems) {
        if !problems.isEmpty { throw WordProblems(problems: problems) }
    }
}

/// `name=value` as operators write it.
public struct Setting: Hashable, Sendable {
    /// What stands before the first `=`.
    public var name: String
    /// What stands after it; may be empty.
    public var value: String

    /// Joins both.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Cuts at the first `=`; nil where there is none or no name.
    public init?(_ word: String) {
        guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { return nil }
        name = String(word[..<equals])
        value = String(word[word.index(after: equals)...])
    }
}
