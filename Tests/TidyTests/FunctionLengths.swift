/// A function or initialiser with its place and size.
struct FunctionLength: Equatable {
    let line: Int
    let length: Int
}

/// Finds every function, initialiser and subscript with a body, and how many lines it takes with its signature.
func functionLengths(_ file: SourceFile) -> [FunctionLength] {
    var result: [FunctionLength] = []
    for (index, line) in file.code.enumerated() where declaresFunction(line) {
        if let length = bodyEnd(file.code[index...], from: index) {
            result.append(FunctionLength(line: index + 1, length: length - index + 1))
        }
    }
    return result
}

private let modifiers: Set<Substring> = [
    "public", "package", "internal", "fileprivate", "private", "static", "class", "final", "override", "mutating",
    "nonmutating", "consuming", "borrowing", "convenience", "required", "nonisolated", "indirect", "prefix", "postfix",
    "infix", "isolated", "open",
]

private func declaresFunction(_ line: Substring) -> Bool {
    for word in line.split(separator: " ") {
        if modifiers.contains(word) || word.hasPrefix("@") { continue }
        return word == "func"
            || ["init(", "init?(", "init<", "subscript(", "subscript<"].contains(where: word.hasPrefix)
            || word == "deinit"
    }
    return false
}

/// The index of the line where the body that starts here ends; nil when there is no body.
private func bodyEnd(_ lines: ArraySlice<Substring>, from start: Int) -> Int? {
    var parentheses = 0
    var braces = 0
    var sawBody = false
    for (index, line) in zip(lines.indices, lines) {
        // A requirement of a protocol has no body: the next declaration or the end of the protocol follows.
        if !sawBody, parentheses == 0, index > start, !continuesSignature(line) { return nil }
        for character in line.utf8 {
            switch character {
            case UInt8(ascii: "("): parentheses += 1
            case UInt8(ascii: ")"): parentheses -= 1
            // A closure as a default argument is no body.
            case UInt8(ascii: "{") where parentheses == 0 || sawBody:
                sawBody = true
                braces += 1
            case UInt8(ascii: "}") where sawBody:
                braces -= 1
                if braces == 0 { return index }
            default: break
            }
        }
    }
    return nil
}

private func continuesSignature(_ line: Substring) -> Bool {
    let words = line.split(separator: " ")
    guard let first = words.first else { return true }
    return ["->", "where", "throws", "async", "rethrows", "{", ")"].contains { first.hasPrefix($0) }
}
