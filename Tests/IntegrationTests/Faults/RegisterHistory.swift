/// What the instances of a process that must never run twice wrote to a file that they share, line by line, each with
/// one write at the end of the file: the order of the lines is the order in which they happened.
///
/// `EPOCH INSTANCE KIND [VALUE]`: an instance takes the number after the last one in the file, writes `start`, then
/// `alive` many times a second, and `write VALUE` before it acknowledges a value to a client.
struct RegisterHistory {
    /// A value that a client was told to be written.
    struct Acknowledged: Hashable {
        var client: String
        var value: String
        var epoch: Int
    }

    struct Line: Hashable {
        var epoch: Int
        var instance: String
        var kind: String
        var value: String?

        init?(_ text: Substring) {
            let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard words.count >= 3, let epoch = Int(words[0]), !words[1].isEmpty else { return nil }
            switch (words[2], words.count) {
            case ("start", 3), ("alive", 3): value = nil
            case ("write", 4): value = words[3]
            default: return nil
            }
            self.epoch = epoch
            instance = words[1]
            kind = words[2]
        }
    }

    let lines: [Line]
    private let malformed: [String]

    /// More violations than this are not told.
    static let mostViolations = 20

    /// Reads the file; a cut-off last line of an instance that lost its power is none.
    init(_ text: String) {
        var lines: [Line] = []
        var malformed: [String] = []
        for part in text.split(separator: "\n") {
            if let line = Line(part) { lines.append(line) } else { malformed.append(String(part)) }
        }
        self.lines = lines
        self.malformed = malformed
    }

    /// How many instances ran.
    var instances: Int { Set(lines.map(\.instance)).count }

    /// What must never be; empty for a history in which no two instances ran at the same time and nothing that was
    /// acknowledged is missing.
    func violations(_ acknowledged: [Acknowledged]) -> [String] {
        Array(
            (malformed.map { "no line of the register: \($0)" } + orderViolations + lost(acknowledged))
                .prefix(Self.mostViolations)
        )
    }

    private var orderViolations: [String] {
        var violations: [String] = []
        var owners: [Int: String] = [:]
        var current: Line?
        for (number, line) in lines.enumerated() {
            defer { current = line }
            if let owner = owners[line.epoch], owner != line.instance {
                violations.append("line \(number + 1): \(line.instance) has epoch \(line.epoch) of \(owner)")
            }
            if owners[line.epoch] == nil {
                owners[line.epoch] = line.instance
                if line.kind != "start" { violations.append("line \(number + 1): epoch \(line.epoch) never started") }
            }
            guard let last = current, last.instance != line.instance else { continue }
            if line.epoch < last.epoch || line.kind != "start" {
                violations.append(
                    "line \(number + 1): \(line.instance) (epoch \(line.epoch)) runs while "
                        + "\(last.instance) (epoch \(last.epoch)) does"
                )
            }
        }
        return violations
    }

    private func lost(_ acknowledged: [Acknowledged]) -> [String] {
        var places: [String: [Int]] = [:]
        for (number, line) in lines.enumerated() {
            if let value = line.value { places[value, default: []].append(number) }
        }
        var last: [String: Int] = [:]
        return acknowledged.compactMap { item in
            let found = places[item.value, default: []]
            guard let place = found.first else { return "\(item.value) was acknowledged and is lost" }
            guard found.count == 1 else { return "\(item.value) stands \(found.count) times" }
            if lines[place].epoch != item.epoch { return "\(item.value) was acknowledged by another epoch" }
            defer { last[item.client] = place }
            if let before = last[item.client], before > place { return "\(item.value) stands before an older one" }
            return nil
        }
    }
}
