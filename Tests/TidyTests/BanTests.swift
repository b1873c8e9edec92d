import Testing

@Suite
struct BanTests {
    @Test
    func `Sources do nothing that a daemon must not do`() throws {
        report(Ban.sources, try Repository.sources.get())
    }

    @Test
    func `Tests do not sleep`() throws {
        report(Ban.tests, try Repository.tests.get())
    }

    @Test
    func `Pure targets have no clock, no randomness and no concurrency`() throws {
        let targets = try PackageManifest(Repository.text("Package.swift")).targets
        let pure = Set(targets.filter { $0.kind == .pure }.map(\.name))
        let files = try Repository.sources.get().filter { pure.contains($0.target) }
        #expect(!files.isEmpty)
        report(Ban.pure, files)
    }

    private func report(_ bans: [Ban], _ files: [SourceFile]) {
        for file in files {
            for ban in bans {
                for line in ban.lines(in: file) {
                    Issue.record("\(file.path):\(line): “\(ban.text)”; instead: \(ban.instead)")
                }
            }
        }
    }

    @Test(arguments: [
        ("let x = try! f()", "try!", [1]), ("// try! this", "try!", []), ("print(\"try!\")", "try!", []),
        ("retry!", "try!", []), ("Date(", "Date(", [1]), ("Update(", "Date(", []), ("x.nowhere", ".now", []),
        ("input.now", ".now", []),
        ("x = .now\ny", ".now", [1]), ("func f() async {}", "async", [1]), ("asyncFoo()", "async", []),
        ("f(\"\\(try! g(\")\"))\")", "try!", []),
    ])
    func `A ban finds code, and neither words inside words nor comments nor literals`(
        text: String,
        banned: String,
        expected: [Int]
    ) {
        let file = SourceFile(path: "Sources/X/X.swift", text: text)
        #expect(Ban(text: banned, instead: "").lines(in: file) == expected)
    }

    @Test
    func `A SAFETY comment directly above excuses one line`() {
        let text = """
            // SAFETY: only one thread.
            nonisolated(unsafe) var a = 1
            nonisolated(unsafe) var b = 1
            """
        let ban = Ban(text: "nonisolated(unsafe)", instead: "", unless: "SAFETY:")
        #expect(ban.lines(in: SourceFile(path: "Sources/X/X.swift", text: text)) == [3])
    }

    @Test
    func `Comments and all forms of literals are blanked, code and line breaks stay`() {
        let text = "a /* b /* c */ d */ e \"f\\\"g\" h #\"i\"j\"# k\n\"\"\"\n l \"m\" \n\"\"\" n // o"
        let words = blanked(text).split { " \n".contains($0) }
        #expect(words == ["a", "e", "h", "k", "n"])
        #expect(blanked(text).filter { $0 == "\n" }.count == 3)
    }
}
