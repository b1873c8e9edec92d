/// A piece of code that is not wanted, and what to write in its place.
struct Ban {
    let text: String
    let instead: String
    /// Allowed below a comment that holds this.
    var unless: String?
    /// Allowed in a line that holds this, too.
    var with: String?

    /// The lines, counted from 1, where it stands.
    func lines(in file: SourceFile) -> [Int] {
        file.code.indices.filter { index in
            guard contains(file.code[index]) else { return false }
            if let with, file.code[index].firstRange(of: with) != nil { return false }
            guard let unless else { return true }
            return !Self.commentsAbove(index, file).contains { $0.contains(unless) }
        }.map { $0 + 1 }
    }

    /// A word is only found whole: `try!` in no longer word, `.now` not in `.nowhere`, nor in `input.now`.
    private func contains(_ line: Substring) -> Bool {
        func isWord(_ character: Character?) -> Bool {
            character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
        }
        var rest = line
        while let range = rest.firstRange(of: text) {
            let before = range.lowerBound == line.startIndex ? nil : line[line.index(before: range.lowerBound)]
            let after = range.upperBound == line.endIndex ? nil : line[range.upperBound]
            let startsInside = (isWord(text.first) || text.first == ".") && isWord(before)
            let endsInside = isWord(text.last) && isWord(after)
            if !startsInside && !endsInside { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    /// The comment lines and attributes directly above a line.
    private static func commentsAbove(_ index: Int, _ file: SourceFile) -> [Substring] {
        var result: [Substring] = []
        var current = index - 1
        while current >= 0 {
            let line = file.lines[current].drop { $0 == " " }
            guard line.hasPrefix("//") || line.hasPrefix("@") else { break }
            result.append(line)
            current -= 1
        }
        return result
    }

    /// Nowhere in the product.
    static let sources = [
        Ban(text: "fatalError(", instead: "throw an error; or precondition(…, why) for a proven invariant"),
        Ban(text: "try!", instead: "do/catch, or let the caller handle it"),
        Ban(text: "as!", instead: "as? with a way out"),
        Ban(text: "Thread.sleep", instead: "a deadline in the event loop"),
        Ban(text: "usleep(", instead: "a deadline in the event loop"),
        Ban(text: "nanosleep(", instead: "a deadline in the event loop"),
        Ban(
            text: "@unchecked Sendable",
            instead: "Mutex, Atomic, or a // SAFETY: line above that says why it holds",
            unless: "SAFETY:"
        ),
        Ban(
            text: "nonisolated(unsafe)",
            instead: "Mutex, Atomic, or a // SAFETY: line above that says why it holds",
            unless: "SAFETY:"
        ),
    ]

    /// Not in pure targets, which get time and randomness handed in.
    static let pure = [
        Ban(text: "async", instead: "an input and an effect"),
        Ban(text: "await", instead: "an input and an effect"),
        Ban(text: "Date(", instead: "an Instant that the caller hands in"),
        Ban(text: ".now", instead: "an Instant that the caller hands in"),
        Ban(text: "random(", instead: "a SeededGenerator that the caller hands in", with: "using:"),
        Ban(text: "randomElement(", instead: "a SeededGenerator that the caller hands in", with: "using:"),
        Ban(text: "shuffled(", instead: "a SeededGenerator that the caller hands in", with: "using:"),
        Ban(text: "shuffle(", instead: "a SeededGenerator that the caller hands in", with: "using:"),
        Ban(text: "SystemRandomNumberGenerator", instead: "a SeededGenerator that the caller hands in"),
        Ban(text: "ContinuousClock", instead: "an Instant that the caller hands in"),
        Ban(text: "SuspendingClock", instead: "an Instant that the caller hands in"),
    ]

    /// Not in tests, which wait for conditions with a limit, never for time to pass.
    static let tests = [
        Ban(text: "Thread.sleep", instead: "wait for the condition, with a limit"),
        Ban(
            text: "Task.sleep",
            instead: "wait for the condition, or a // Bounded poll: line above; or an invented clock",
            unless: "Bounded poll"
        ),
        Ban(text: "usleep(", instead: "wait for the condition, with a limit"),
        Ban(text: "sleep(", instead: "wait for the condition, with a limit", with: "Task.sleep"),
    ]
}
