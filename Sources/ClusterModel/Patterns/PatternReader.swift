/// A part of a pattern.
indirect enum PatternNode {
    case set(ByteSet)
    case start
    case end
    case sequence([PatternNode])
    case choice([PatternNode])
    /// At least so often, at most so often; nil: without a limit.
    case repetition(PatternNode, Int, Int?)
}

/// Reads the text of a pattern.
struct PatternReader {
    private var rest: ArraySlice<UInt8>
    private var depth = 0
    private var ignoresCase = false

    init(_ text: String) { rest = Array(text.utf8)[...] }

    mutating func readWhole() throws(BytePatternError) -> PatternNode {
        if rest.starts(with: "(?i)".utf8) {
            ignoresCase = true
            rest = rest.dropFirst(4)
        }
        let node = try readChoice()
        if !rest.isEmpty { throw BytePatternError("has a \")\" without a \"(\"") }
        return node
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func readChoice() throws(BytePatternError) -> PatternNode {
        var choices = [try readSequence()]
        while take("|") { choices.append(try readSequence()) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func readSequence() throws(BytePatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let byte = rest.first, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            nodes.append(try readRepeated())
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func readRepeated() throws(BytePatternError) -> PatternNode {
        let node = try readAtom()
        guard let count = try readCount() else { return node }
        switch node {
        case .start, .end: throw BytePatternError("repeats \"^\" or \"$\"")
        default: break
        }
        // Whether as few or as many as possible are taken makes no difference to whether there is a match.
        _ = take("?")
        if let next = rest.first, Array("*+?".utf8).contains(next) {
            throw BytePatternError("has two repetitions in a row")
        }
        return .repetition(node, count.least, count.most)
    }

    private mutating func readCount() throws(BytePatternError) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        // A brace that begins no count is one.
        guard rest.first == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let inside = rest[rest.index(after: rest.startIndex)..<end]
        let parts = inside.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let isCount = inside.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ",") }
        guard isCount, (1...2).contains(parts.count), let first = parts.first, !first.isEmpty else { return nil }
        rest = rest[rest.index(after: end)...]
        let least = try number(first)
        guard parts.count == 2 else { return (least, least) }
        if parts[1].isEmpty { return (least, nil) }
        let most = try number(parts[1])
        guard most >= least else { throw BytePatternError("has a count whose end is below its start") }
        return (least, most)
    }

    private func number(_ digits: ArraySlice<UInt8>) throws(BytePatternError) -> Int {
        guard let number = Int(String(decoding: digits, as: UTF8.self)), number <= BytePattern.highestCount else {
            throw BytePatternError("has a count above \(BytePattern.highestCount)")
        }
        return number
    }

    private mutating func readAtom() throws(BytePatternError) -> PatternNode {
        guard let byte = rest.popFirst() else { return .sequence([]) }
        switch byte {
        case UInt8(ascii: "^"): return .start
        case UInt8(ascii: "$"): return .end
        case UInt8(ascii: "."): return .set(ByteSet([0x0A]).inverted)
        case UInt8(ascii: "("): return try readGroup()
        case UInt8(ascii: "["): return try readClass()
        case UInt8(ascii: "\\"): return .set(cased(try readEscape()))
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
            throw BytePatternError("repeats nothing")
        default: return byte < 0x80 ? .set(cased(ByteSet([byte]))) : readScalar(byte)
        }
    }

    private func cased(_ set: ByteSet) -> ByteSet { ignoresCase ? set.ignoringCase : set }

    /// The bytes of one character beyond ASCII, which are repeated together.
    private mutating func readScalar(_ first: UInt8) -> PatternNode {
        var nodes = [PatternNode.set(ByteSet([first]))]
        while let next = rest.first, next & 0xC0 == 0x80 {
            rest = rest.dropFirst()
            nodes.append(.set(ByteSet([next])))
        }
        return .sequence(nodes)
    }

    private mutating func readGroup() throws(BytePatternError) -> PatternNode {
        if take("?"), !take(":") {
            throw BytePatternError("has a group with \"(?\"; of those there are (?:…), and (?i) at the start")
        }
        depth += 1
        guard depth <= BytePattern.deepestGroup else {
            throw BytePatternError("has groups more than \(BytePattern.deepestGroup) deep")
        }
        let node = try readChoice()
        guard take(")") else { throw BytePatternError("has a \"(\" without a \")\"") }
        depth -= 1
        return node
    }

    private mutating func readEscape() throws(BytePatternError) -> ByteSet {
        guard let byte = rest.popFirst() else { throw BytePatternError("ends in a backslash") }
        switch byte {
        case UInt8(ascii: "d"): return Self.digits
        case UInt8(ascii: "D"): return Self.digits.inverted
        case UInt8(ascii: "w"): return Self.words
        case UInt8(ascii: "W"): return Self.words.inverted
        case UInt8(ascii: "s"): return Self.blanks
        case UInt8(ascii: "S"): return Self.blanks.inverted
        case UInt8(ascii: "n"): return ByteSet([0x0A])
        case UInt8(ascii: "r"): return ByteSet([0x0D])
        case UInt8(ascii: "t"): return ByteSet([0x09])
        case UInt8(ascii: "f"): return ByteSet([0x0C])
        case UInt8(ascii: "x"):
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            let isHex = digits.count == 2 && digits.allSatisfy(\.isHexDigit)
            guard isHex, let value = UInt8(digits, radix: 16) else {
                throw BytePatternError("has \\x without two hexadecimal digits")
            }
            rest = rest.dropFirst(2)
            return ByteSet([value])
        default:
            let isWord = Self.words.contains(byte) && byte != UInt8(ascii: "_")
            guard !isWord, byte < 0x80 else {
                let scalar = Unicode.Scalar(byte)
                throw BytePatternError("has \\\(byte < 0x80 ? String(scalar) : "…"), which is not understood")
            }
            return ByteSet([byte])
        }
    }

    private static let digits = ByteSet(0x30...0x39)
    private static let blanks = ByteSet([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20])
    private static let words = ByteSet(
        Array(0x30...0x39) + Array(0x41...0x5A) + Array(0x61...0x7A) + [UInt8(ascii: "_")]
    )

    private mutating func readClass() throws(BytePatternError) -> PatternNode {
        let isNegated = take("^")
        var set = ByteSet.empty
        var isFirst = true
        while true {
            guard let byte = rest.first else { throw BytePatternError("has a \"[\" without a \"]\"") }
            if byte == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            let low = try readClassMember()
            let afterHyphen = rest.first == UInt8(ascii: "-") ? rest.dropFirst().first : nil
            let isRange = afterHyphen != nil && afterHyphen != UInt8(ascii: "]")
            guard isRange, let start = low.single else {
                set.formUnion(low.set)
                continue
            }
            rest = rest.dropFirst()
            guard let end = try readClassMember().single, start <= end else {
                throw BytePatternError("has a range in brackets that is none")
            }
            set.formUnion(ByteSet(start...end))
        }
        rest = rest.dropFirst()
        let cased = cased(set)
        return .set(isNegated ? cased.inverted : cased)
    }

    /// One byte or one escape in brackets; `single` where it can be the end of a range.
    private mutating func readClassMember() throws(BytePatternError) -> (set: ByteSet, single: UInt8?) {
        guard let byte = rest.popFirst() else { throw BytePatternError("has a \"[\" without a \"]\"") }
        if byte >= 0x80 { throw BytePatternError("has a character beyond ASCII in brackets") }
        if byte == UInt8(ascii: "["), let next = rest.first, Array(":.=".utf8).contains(next) {
            throw BytePatternError("has a named class in brackets; there are \\d, \\w and \\s")
        }
        guard byte == UInt8(ascii: "\\") else { return (ByteSet([byte]), byte) }
        let set = try readEscape()
        let members = (UInt8.min...UInt8.max).filter(set.contains)
        return (set, members.count == 1 ? members.first : nil)
    }
}
