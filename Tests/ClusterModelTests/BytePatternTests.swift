import ClusterModel
import Testing

@Suite
struct BytePatternTests {
    private func matches(_ pattern: String, _ text: String) throws(BytePatternError) -> Bool {
        try BytePattern(pattern).matches(Array(text.utf8))
    }

    @Test(arguments: [
        ("abc", "xxabcxx", true), ("abc", "ab", false), ("", "", true), ("", "x", true), ("a|b", "b", true),
        ("^ab", "ab", true), ("^ab", "xab", false), ("ab$", "xab", true), ("ab$", "abx", false), ("^$", "", true),
        ("^$", "x", false), ("^ok$", "ok\n", true), ("^ok$", "ok\n\n", false), ("^ok$", "ok\nx", false),
        ("a.c", "abc", true), ("a.c", "a\nc", false), ("a*b", "b", true), ("a+b", "b", false), ("a?b", "ab", true),
        ("^a{3}$", "aaa", true), ("^a{3}$", "aa", false), ("^a{2,}$", "a", false), ("^a{2,}$", "aaaaa", true),
        ("^a{1,2}$", "aaa", false), ("^a{0}b$", "b", true), ("a{x}", "a{x}", true), ("a{,2}", "a{,2}", true),
        ("^(ab|cd)+$", "abcdab", true), ("^(ab|cd)+$", "abc", false), ("^(?:a|b)$", "b", true),
        ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false), ("[]a]", "]", true), ("[a-]", "-", true),
        ("[\\d.]+$", "1.5", true), ("^\\w+\\s\\d{2}$", "a_1 42", true), ("\\D", "12", false), ("\\S\\W", "a-", true),
        ("\\x41\\.\\[", "A.[", true), ("(?i)^hello [a-z]$", "HeLLo X", true), ("Hello", "hello", false),
        ("é+$", "éé", true), ("^é$", "é", true), ("role:(master|primary)\r\n", "x\nrole:master\r\n", true),
        ("a*?b", "aab", true), ("(a*)*b", "aaab", true), ("()*", "", true), ("a$|b", "xb", true), ("a$b", "ab", false),
    ])
    func `Patterns mean what they mean elsewhere`(pattern: String, text: String, expected: Bool) throws {
        #expect(try matches(pattern, text) == expected)
    }

    @Test(arguments: [
        ("(", "without a \")\""), (")", "without a \"(\""), ("[a", "without a \"]\""), ("a\\", "ends in a backslash"),
        ("*a", "repeats nothing"), ("a**", "two repetitions"), ("a++", "two repetitions"), ("\\b", "\\b"),
        ("(a)\\1", "\\1"), ("(?=a)", "(?"), ("(?<n>a)", "(?"), ("[[:alpha:]]", "named class"), ("[z-a]", "range"),
        ("a{2,1}", "below its start"), ("a{256}", "above 255"), ("\\xg1", "hexadecimal"), ("\\x+1", "hexadecimal"),
        ("[é]", "beyond ASCII"), ("^*", "repeats \"^\""), ("(((a{200}){200}){200})", "too large"),
        ("((((){255}){255}){255}){255}", "too large"), (String(repeating: "(", count: 40), "deep"),
        (String(repeating: "a", count: 513), "longer than 512"),
    ])
    func `What is not understood is refused with its reason`(pattern: String, reason: String) {
        do throws(BytePatternError) {
            _ = try BytePattern(pattern)
            Issue.record("\(pattern) is understood")
        } catch { #expect(error.description.contains(reason), "\(error)") }
    }

    @Test
    func `Input in pieces gives what it gives whole, at every cut`() throws {
        let input = Array("one two\nrole:master\n".utf8)
        for text in ["two\nrole", "^one", "master$", "^master", "(o|e).*r$", "x"] {
            let pattern = try BytePattern(text)
            let whole = pattern.matches(input)
            for first in 0...input.count {
                var scan = BytePatternScan(pattern)
                let early = scan.feed(input[..<first]) || scan.feed(input[first...])
                #expect((early || scan.finish()) == whole, "\(text) cut at \(first)")
            }
        }
    }

    @Test
    func `No input takes long, however the pattern repeats`() throws {
        // A backtracking engine takes longer than the universe is old for this.
        let pattern = try BytePattern("^(((a+)+)+)+(a|aa)*$")
        #expect(!pattern.matches([UInt8](repeating: UInt8(ascii: "a"), count: 16_000) + [UInt8(ascii: "b")]))
    }

    /// A random pattern over few letters, which the standard library's engine understands alike.
    private static func pattern(_ depth: Int, _ generator: inout SeededGenerator) -> String {
        let letter = ["a", "b", "c", "[ab]", "[^a]", "."][Int.random(in: 0..<6, using: &generator)]
        guard depth > 0 else { return letter }
        let one = pattern(depth - 1, &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return "(\(one))*"
        case 1: return "(\(one))?"
        case 2: return "(\(one)|\(pattern(depth - 1, &generator)))"
        case 3: return "(\(one)){1,2}"
        case 4: return one + pattern(depth - 1, &generator)
        case 5: return "(\(one))+\(letter)"
        case 6: return "(?:^|\(letter))\(one)"
        default: return "\(one)(\(letter)|$)"
        }
    }

    @Test(arguments: 0..<6)
    func `It agrees with another engine on random patterns and texts`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let text = Self.pattern(3, &generator)
            let pattern = try BytePattern(text)
            let other = try Regex(text)
            for _ in 0..<12 {
                let count = Int.random(in: 0...7, using: &generator)
                let input = String(
                    (0..<count).map { _ in ["a", "b", "c"][Int.random(in: 0..<3, using: &generator)] as Character }
                )
                let expected = try other.firstMatch(in: input) != nil
                #expect(pattern.matches(Array(input.utf8)) == expected, "\(text) on \"\(input)\"")
            }
        }
    }

    @Test(arguments: 0..<4)
    func `Any text is a pattern or is refused`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("ab()[]{}|*+?^$.\\dwx0,1-é".unicodeScalars)
        for _ in 0..<500 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...24, using: &generator) {
                text.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
            }
            if let pattern = try? BytePattern(String(text)) { _ = pattern.matches(Array("ab01ab{}".utf8)) }
        }
    }
}
