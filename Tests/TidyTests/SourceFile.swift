import FoundationEssentials

/// A Swift file of the repository, as text and as bare code.
struct SourceFile {
    /// Relative to the repository's root.
    let path: String
    let lines: [Substring]
    /// The same lines with comments and literals blanked out.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code = blanked(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The target's name: the directory below Sources or Tests.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    /// The file's name without its extension, and without what follows a plus sign.
    var name: String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.prefix { $0 != "." && $0 != "+" })
    }
}

/// The repository that these tests are part of.
enum Repository {
    static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    /// All Swift files of the product.
    static let sources = Result { try swiftFiles(below: "Sources") }
    /// All Swift files of the tests.
    static let tests = Result { try swiftFiles(below: "Tests") }

    /// Sorted by path.
    private static func swiftFiles(below directory: String) throws -> [SourceFile] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(directory)")
        return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            SourceFile(path: "\(directory)/\(path)", text: try text("\(directory)/\(path)"))
        }
    }
}

/// Replaces the inside of comments and string literals by spaces; line breaks stay.
func blanked(_ text: String) -> String {
    var rest = Array(text.utf8)[...]
    var result: [UInt8] = []
    while let byte = rest.first {
        if rest.starts(with: "//".utf8) {
            blank(&rest, into: &result, count: rest.prefix { $0 != UInt8(ascii: "\n") }.count)
        } else if rest.starts(with: "/*".utf8) {
            blank(&rest, into: &result, count: commentLength(rest))
        } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#"), let length = literalLength(rest) {
            blank(&rest, into: &result, count: length)
        } else {
            result.append(byte)
            rest = rest.dropFirst()
        }
    }
    return String(decoding: result, as: UTF8.self)
}

private func blank(_ rest: inout ArraySlice<UInt8>, into result: inout [UInt8], count: Int) {
    result += rest.prefix(count).map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    rest = rest.dropFirst(count)
}

private func commentLength(_ text: ArraySlice<UInt8>) -> Int {
    var depth = 0
    var rest = text
    repeat {
        if rest.starts(with: "/*".utf8) {
            depth += 1
            rest = rest.dropFirst(2)
        } else if rest.starts(with: "*/".utf8) {
            depth -= 1
            rest = rest.dropFirst(2)
        } else {
            rest = rest.dropFirst()
        }
    } while depth > 0 && !rest.isEmpty
    return text.count - rest.count
}

/// The length of a string literal at the start of the text, of any of Swift's four forms; nil if none stands there.
private func literalLength(_ text: ArraySlice<UInt8>) -> Int? {
    let pounds = text.prefix { $0 == UInt8(ascii: "#") }.count
    var rest = text.dropFirst(pounds)
    guard rest.first == UInt8(ascii: "\"") else { return nil }
    let quotes = rest.starts(with: "\"\"\"".utf8) ? 3 : 1
    rest = rest.dropFirst(quotes)
    let end = Array(repeating: UInt8(ascii: "\""), count: quotes) + Array(repeating: UInt8(ascii: "#"), count: pounds)
    let escape = [UInt8(ascii: "\\")] + Array(repeating: UInt8(ascii: "#"), count: pounds)
    while !rest.isEmpty, !rest.starts(with: end) {
        if rest.starts(with: escape + [UInt8(ascii: "(")]) {
            rest = rest.dropFirst(escape.count + interpolationLength(rest.dropFirst(escape.count)))
        } else {
            rest = rest.dropFirst(rest.starts(with: escape) ? escape.count + 1 : 1)
        }
    }
    return text.count - rest.dropFirst(end.count).count
}

/// The length of an interpolation, from its opening to its closing parenthesis; literals in it may hold both.
private func interpolationLength(_ text: ArraySlice<UInt8>) -> Int {
    var depth = 0
    var rest = text
    repeat {
        if let length = literalLength(rest) {
            rest = rest.dropFirst(length)
            continue
        }
        if rest.first == UInt8(ascii: "(") { depth += 1 }
        if rest.first == UInt8(ascii: ")") { depth -= 1 }
        rest = rest.dropFirst()
    } while depth > 0 && !rest.isEmpty
    return text.count - rest.count
}
