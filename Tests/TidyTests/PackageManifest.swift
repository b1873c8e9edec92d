/// What Package.swift says about the targets; read as text, since only its author's own forms have to be understood.
struct PackageManifest {
    enum Kind: String { case pure, shell, executable, test, c }

    struct Target: Equatable {
        let name: String
        let kind: Kind
        let dependencies: [String]
    }

    let targets: [Target]

    init(_ text: String) {
        // Literals hold the names, so only comments go, and the lines with the slashes of an address.
        let lines = text.split(separator: "\n").filter { !$0.contains("url:") }.map { line -> Substring in
            guard let comment = line.firstRange(of: "//") else { return line }
            return line[..<comment.lowerBound]
        }
        let bare = lines.joined(separator: "\n")
        let products = Self.namedProducts(bare)
        let body = bare.firstRange(of: "targets: [").map { bare[$0.upperBound...] } ?? ""
        var targets: [Target] = []
        var rest = body[...]
        while let (kind, call, after) = Self.nextCall(rest) {
            let names = Self.quoted(call)
            if let name = names.first {
                let variables = products.filter { call.contains(word: $0.key) }.map(\.value)
                targets.append(Target(name: name, kind: kind, dependencies: names.dropFirst() + variables.sorted()))
            }
            rest = after
        }
        self.targets = targets
    }

    /// `let name: Target.Dependency = .product(name: "X", …)`.
    private static func namedProducts(_ text: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in text.split(separator: "\n") where line.contains("Target.Dependency = .product(") {
            let words = line.split { " :".contains($0) }
            if words.count > 1, let product = quoted(line[...]).first { result[String(words[1])] = product }
        }
        return result
    }

    private static let calls: [(String, Kind)] = [
        ("pure(", .pure), ("shell(", .shell), (".executableTarget(", .executable), (".systemLibrary(", .c),
        (".target(", .c), ("tests(", .test),
    ]

    private static func nextCall(_ text: Substring) -> (Kind, Substring, Substring)? {
        let found = calls.compactMap { word, kind in text.firstRange(of: word).map { ($0, kind) } }
        guard let (range, kind) = found.min(by: { $0.0.lowerBound < $1.0.lowerBound }) else { return nil }
        var depth = 1
        var end = range.upperBound
        while end < text.endIndex, depth > 0 {
            if text[end] == "(" { depth += 1 }
            if text[end] == ")" { depth -= 1 }
            end = text.index(after: end)
        }
        return (kind, text[range.upperBound..<end], text[end...])
    }

    /// All literals but those that name a package or a library of the system.
    private static func quoted(_ call: Substring) -> [String] {
        let parts = call.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.compactMap { index in
            let label = parts[index - 1]
            let isOther = ["package: ", "pkgConfig: ", ".apt(["].contains { label.hasSuffix($0) }
            return isOther ? nil : String(parts[index])
        }
    }
}

extension Substring {
    fileprivate func contains(word: String) -> Bool {
        split { !$0.isLetter && !$0.isNumber && $0 != "_" }.contains { $0 == word }
    }
}
