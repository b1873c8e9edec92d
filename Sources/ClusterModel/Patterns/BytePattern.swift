/// A regular expression over bytes, matched in a time that grows with the input alone.
///
/// What it is matched against comes from servers that may be broken or hostile, on a thread that must not stand still:
/// an engine that tries one way after another, as Swift's and PCRE do, can take hours for a few hundred bytes. This one
/// follows all ways at once (Thompson 1968), byte by byte, and so also takes input in pieces.
///
/// Understood are literals, `.`, classes (`[a-z]`, `[^…]`, `\d \D \w \W \s \S`), `\n \r \t \f \xHH`, groups, `|`,
/// `* + ? {n} {n,} {n,m}`, `^` and `$` (of the whole input; a final line feed may follow), and a leading `(?i)`.
/// Back-references, look-around and `\b` are refused with a reason.
public struct BytePattern: Hashable, Sendable {
    /// The longest text of a pattern, in bytes.
    public static let longestText = 512
    /// The most steps of a compiled pattern; repetitions with counts multiply.
    public static let mostSteps = 1024
    /// The highest count in braces.
    public static let highestCount = 255
    /// How deep groups may be in each other.
    public static let deepestGroup = 32

    /// One step of a compiled pattern; numbers are places of other steps.
    enum Step: Hashable, Sendable {
        /// Takes one byte out of a set and goes on.
        case take(ByteSet)
        /// Goes on at both places.
        case fork(Int, Int)
        /// Goes on elsewhere.
        case jump(Int)
        /// Goes on at the start of the input.
        case atStart
        /// Goes on at the end of the input.
        case atEnd
        /// The pattern has matched.
        case match
    }

    /// What the operator wrote.
    public let text: String
    let steps: [Step]

    /// Reads a pattern.
    ///
    /// - Throws: What it does not understand, for the operator.
    public init(_ text: String) throws(BytePatternError) {
        guard text.utf8.count <= Self.longestText else {
            throw BytePatternError("is longer than \(Self.longestText) bytes")
        }
        self.text = text
        var reader = PatternReader(text)
        let node = try reader.readWhole()
        var compiler = PatternCompiler()
        try compiler.add(node)
        try compiler.append(.match)
        steps = compiler.steps
    }

    /// Whether it matches somewhere in `bytes`.
    public func matches(_ bytes: [UInt8]) -> Bool {
        var scan = BytePatternScan(self)
        return scan.feed(bytes[...]) || scan.finish()
    }
}

/// Why a pattern is none; a part of a sentence that begins with the pattern.
public struct BytePatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason.
    public var description: String

    init(_ text: String) { description = text }
}

/// A set of byte values.
struct ByteSet: Hashable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static let empty = ByteSet()

    init() {}

    init(_ bytes: some Sequence<UInt8>) { for byte in bytes { insert(byte) } }

    func contains(_ byte: UInt8) -> Bool {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: return words.0 & bit != 0
        case 1: return words.1 & bit != 0
        case 2: return words.2 & bit != 0
        default: return words.3 & bit != 0
        }
    }

    mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    mutating func formUnion(_ other: ByteSet) {
        words = (
            words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2, words.3 | other.words.3
        )
    }

    var inverted: ByteSet {
        var result = self
        result.words = (~words.0, ~words.1, ~words.2, ~words.3)
        return result
    }

    /// With both cases of every letter in it.
    var ignoringCase: ByteSet {
        var result = self
        for letter in UInt8(ascii: "a")...UInt8(ascii: "z") where contains(letter) || contains(letter - 32) {
            result.insert(letter)
            result.insert(letter - 32)
        }
        return result
    }

    static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

/// Turns the tree of a pattern into steps.
struct PatternCompiler {
    private(set) var steps: [BytePattern.Step] = []
    /// Nodes added; empty groups make no steps, and their repetitions multiply all the same.
    private var added = 0

    mutating func append(_ step: BytePattern.Step) throws(BytePatternError) {
        guard steps.count < BytePattern.mostSteps else { throw Self.tooLarge }
        steps.append(step)
    }

    private static let tooLarge = BytePatternError(
        "is too large: its repetitions make more than \(BytePattern.mostSteps) steps"
    )

    mutating func add(_ node: PatternNode) throws(BytePatternError) {
        added += 1
        guard added <= 4 * BytePattern.mostSteps else { throw Self.tooLarge }
        switch node {
        case .set(let set): try append(.take(set))
        case .start: try append(.atStart)
        case .end: try append(.atEnd)
        case .sequence(let nodes): for node in nodes { try add(node) }
        case .choice(let nodes): try add(choice: nodes)
        case .repetition(let node, let least, let most): try add(node, least: least, most: most)
        }
    }

    private mutating func add(choice nodes: [PatternNode]) throws(BytePatternError) {
        var jumps: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard index + 1 < nodes.count else {
                try add(node)
                break
            }
            let fork = steps.count
            try append(.fork(fork + 1, fork))
            try add(node)
            jumps.append(steps.count)
            try append(.jump(0))
            steps[fork] = .fork(fork + 1, steps.count)
        }
        for jump in jumps { steps[jump] = .jump(steps.count) }
    }

    private mutating func add(_ node: PatternNode, least: Int, most: Int?) throws(BytePatternError) {
        for _ in 0..<least { try add(node) }
        guard let most else {
            let fork = steps.count
            try append(.fork(fork + 1, fork))
            try add(node)
            try append(.jump(fork))
            steps[fork] = .fork(fork + 1, steps.count)
            return
        }
        var forks: [Int] = []
        for _ in least..<max(least, most) {
            forks.append(steps.count)
            try append(.fork(steps.count + 1, 0))
            try add(node)
        }
        for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
    }
}
