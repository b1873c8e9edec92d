import Testing

@Suite
struct NameTests {
    /// Endings that say nothing, with the question to ask.
    private static let empty = ["Manager", "Helper", "Helpers", "Utils", "Utilities", "Common", "Extras", "Types"]

    @Test
    func `Names say what a thing knows or does`() throws {
        for file in try Repository.sources.get() + Repository.tests.get() {
            for name in [file.name] + declaredTypes(file) {
                for ending in Self.empty where name.hasSuffix(ending) {
                    Issue.record(
                        "\(file.path): “\(name)”: name it by what it knows, as in BackendTable or StopSequence"
                    )
                }
            }
        }
    }

    @Test
    func `Types are found by their declaration`() {
        let text = "public final class ServerManager: X {}\nenum A { case structManager }\n// struct BHelper\n"
        #expect(declaredTypes(SourceFile(path: "Sources/X/X.swift", text: text)) == ["ServerManager", "A"])
    }

    private func declaredTypes(_ file: SourceFile) -> [String] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        return file.code.flatMap { line in
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            return zip(words, words.dropFirst()).filter { kinds.contains($0.0) && $0.1 != "func" && $0.1 != "var" }
                .map { String($0.1) }
        }
    }
}
