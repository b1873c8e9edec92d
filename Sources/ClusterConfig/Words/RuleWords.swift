import Bytes
import ClusterModel

/// Rules of checks as text: words with HAProxy's quotes and escapes, one rule per line or between `;`.
enum RuleWords {
    /// The words of each rule.
    ///
    /// Outside of quotes and in double quotes `\r`, `\n`, `\t`, `\xHH` and a backslash before a blank, a quote, `\`, `#` or
    /// `;` stand for one character; before anything else a backslash is one, so that regular expressions need no
    /// doubling. In single quotes everything stands for itself.
    static func split(_ option: String, _ text: String) throws(WordProblem) -> [[String]] {
        var reading = Reading(option: option, rest: Array(text.unicodeScalars)[...])
        return try reading.rules()
    }

    /// The words of a text without rules.
    static func words(_ option: String, _ text: String) throws(WordProblem) -> [String] {
        try split(option, text).flatMap { $0 }
    }

    /// A text that `split` reads as these rules.
    static func join(_ rules: [[String]]) -> String {
        rules.map { $0.map(quoted).joined(separator: " ") }.joined(separator: "; ")
    }

    /// A text that is read as one word.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || Array("/._-:,+*=!?%@<>()[]{}|^$&~".utf8).contains(byte)
        }
        if plain, !word.isEmpty { return word }
        var result = "\""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\r": result += "\\r"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    result += "\\x" + Hex.encode(CollectionOfOne(UInt8(scalar.value)))
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// Hexadecimal digits as bytes.
    static func bytes(_ option: String, _ text: String) throws(WordProblem) -> [UInt8] {
        if let bytes = Hex.decode(text) { return bytes }
        let remedy = "give pairs of hexadecimal digits, such as 50494e470d0a"
        throw WordProblem(option, "\"\(text)\" are no bytes", remedy: remedy)
    }

    private struct Reading {
        let option: String
        var rest: ArraySlice<Unicode.Scalar>
        var word: String.UnicodeScalarView?
        var words: [String] = []

        mutating func rules() throws(WordProblem) -> [[String]] {
            var rules: [[String]] = []
            while let scalar = rest.popFirst() {
                switch scalar {
                case " ", "\t", "\r": endWord()
                case "\n", ";":
                    endWord()
                    if !words.isEmpty { rules.append(words) }
                    words = []
                case "'": try readSingle()
                case "\"": try readDouble()
                case "\\": try readEscape()
                default: add(scalar)
                }
            }
            endWord()
            if !words.isEmpty { rules.append(words) }
            return rules
        }

        private mutating func add(_ scalar: Unicode.Scalar) {
            word = (word ?? String.UnicodeScalarView()) + [scalar]
        }

        private mutating func endWord() {
            if let word { words.append(String(word)) }
            word = nil
        }

        private mutating func readSingle() throws(WordProblem) {
            word = word ?? String.UnicodeScalarView()
            while let scalar = rest.popFirst() {
                if scalar == "'" { return }
                add(scalar)
            }
            throw unclosed("'")
        }

        private mutating func readDouble() throws(WordProblem) {
            word = word ?? String.UnicodeScalarView()
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\"": return
                case "\\": try readEscape()
                default: add(scalar)
                }
            }
            throw unclosed("\"")
        }

        private func unclosed(_ quote: String) -> WordProblem {
            WordProblem(option, "\(option) has no closing \(quote)", remedy: "close the quote")
        }

        private mutating func readEscape() throws(WordProblem) {
            guard let scalar = rest.popFirst() else {
                throw WordProblem(option, "\(option) ends in a backslash", remedy: "double it, or take it away")
            }
            switch scalar {
            case "r": add("\r")
            case "n": add("\n")
            case "t": add("\t")
            case " ", "\\", "\"", "'", "#", ";": add(scalar)
            case "x":
                let digits = String(String.UnicodeScalarView(rest.prefix(2)))
                let isHex = digits.count == 2 && digits.allSatisfy(\.isHexDigit)
                guard isHex, let value = UInt8(digits, radix: 16), value < 0x80 else {
                    let remedy = "give \\x00 to \\x7f; send-binary and binary take any bytes"
                    throw WordProblem(option, "\(option) has \"\\x\(digits)\"", remedy: remedy)
                }
                rest = rest.dropFirst(2)
                add(Unicode.Scalar(value))
            default:
                add("\\")
                add(scalar)
            }
        }
    }
}

/// The words of one rule, taken from the front.
struct RuleReader {
    let option: String
    private var rest: ArraySlice<String>

    init(_ option: String, _ words: [String]) {
        self.option = option
        rest = words[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func next() -> String? { rest.popFirst() }

    /// The word after `word`.
    mutating func value(of word: String) throws(WordProblem) -> String {
        guard let value = rest.popFirst() else {
            throw WordProblem(option, "\"\(word)\" needs a value", remedy: "give it right after \"\(word)\"")
        }
        return value
    }

    /// Whether an expectation is negated: `!` alone or in front of its word, which is returned, too.
    mutating func expectation() throws(WordProblem) -> (isNegated: Bool, kind: String) {
        var word = try value(of: "expect")
        var isNegated = false
        while word.hasPrefix("!") {
            isNegated.toggle()
            word.removeFirst()
            if word.isEmpty { word = try value(of: "!") }
        }
        return (isNegated, word)
    }

    /// Nothing may follow.
    func finish() throws(WordProblem) {
        guard let word = rest.first else { return }
        throw WordProblem(option, "\"\(word)\" is too much in a rule of \(option)", remedy: "quote texts with blanks")
    }

    func unknown(_ word: String, _ known: [String]) -> WordProblem {
        let remedy = NearestName.remedy(word, among: known, what: "words")
        return WordProblem(option, "this version has no \"\(word)\" in \(option)", remedy: remedy)
    }
}
