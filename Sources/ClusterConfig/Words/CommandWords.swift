/// Cuts a command line into words as a shell does, without expanding anything.
public enum CommandWords {
    /// The words of a command.
    ///
    /// Quotes keep white space; a backslash keeps the next character, inside double quotes only
    /// before `"`, `\`, `$` and a backquote. `$`, `*`, `|`, `>` and the like are ordinary characters.
    public static func split(_ text: String) throws(WordProblem) -> [String] {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        var quote: Unicode.Scalar?
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch (quote, scalar) {
            case (nil, " "), (nil, "\t"), (nil, "\n"), (nil, "\r"):
                if let finished = word { words.append(String(finished)) }
                word = nil
            case (nil, "'"), (nil, "\""):
                quote = scalar
                word = word ?? String.UnicodeScalarView()
            case (.some(let open), _) where open == scalar: quote = nil
            case (nil, "\\"), ("\"", "\\"):
                guard let next = scalars.next() else {
                    throw WordProblem(
                        "command",
                        "the command ends in a backslash",
                        remedy: "double it, or take it away"
                    )
                }
                let keepsBackslash = quote != nil && !["\"", "\\", "$", "`"].contains(next)
                if keepsBackslash { word?.append("\\") }
                word = (word ?? String.UnicodeScalarView()) + [next]
            default:
                word = (word ?? String.UnicodeScalarView()) + [scalar]
            }
        }
        if let quote { throw WordProblem("command", "the command has no closing \(quote)", remedy: "close the quote") }
        if let finished = word { words.append(String(finished)) }
        return words
    }

    /// One line that `split` cuts into `words` again.
    public static func join(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    /// A word as a shell and `split` both read it.
    public static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || Array("@%+=:,./_-".utf8).contains(byte)
        }
        if plain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
