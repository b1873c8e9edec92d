import Testing

@Suite
struct SizeTests {
    /// The hard limit, for every file.
    private static let longestFile = 800
    /// Above this a file must be listed below.
    private static let softLimit = 400
    /// The hard limit for functions, with their signature.
    private static let longestFunction = 70

    /// Files above the soft limit, with their lines.
    ///
    /// The list may only get shorter, and its numbers smaller.
    private static let longFiles: [String: Int] = [:]

    @Test
    func `Files are short, or listed and not growing`() throws {
        let files = try Repository.sources.get() + Repository.tests.get()
        #expect(files.count > 20)
        let lengths = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.lines.count - 1) })
        for (path, length) in lengths.sorted(by: { $0.key < $1.key }) where length > Self.softLimit {
            let limit = min(Self.longestFile, Self.longFiles[path] ?? Self.softLimit)
            #expect(length <= limit, "\(path) has \(length) lines, \(limit) are allowed: split it by concern")
        }
        for (path, listed) in Self.longFiles {
            let length = lengths[path] ?? 0
            #expect(
                length > Self.softLimit && length == listed,
                "\(path) has \(length) lines now: correct or remove its entry in SizeTests.longFiles"
            )
        }
    }

    @Test
    func `Functions fit on a screen`() throws {
        let files = try Repository.sources.get() + Repository.tests.get()
        var seen = 0
        for file in files {
            for function in functionLengths(file) {
                seen += 1
                #expect(
                    function.length <= Self.longestFunction,
                    """
                    \(file.path):\(function.line): a function of \(function.length) lines, \(Self.longestFunction) are \
                    allowed: give its steps names of their own
                    """
                )
            }
        }
        #expect(seen > 100)
    }

    @Test
    func `Functions are measured from the signature to the closing brace`() {
        let text = """
            protocol P {
                func a()
                func b(
                    x: Int
                ) -> Int
            }
            struct S {
                public mutating func c(
                    d: () -> Void = {}
                ) throws -> Int {
                    if true { "}" } else { }
                }
                init() {}
                func e() where Int: P
                {
                }
                deinit {
                }
            }
            """
        let lengths = functionLengths(SourceFile(path: "Sources/X/X.swift", text: text))
        #expect(
            lengths == [
                FunctionLength(line: 8, length: 5), FunctionLength(line: 13, length: 1),
                FunctionLength(line: 14, length: 3), FunctionLength(line: 17, length: 2),
            ]
        )
    }
}
