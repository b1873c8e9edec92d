internal import CLinux
internal import ClusterModel
internal import Lab
internal import LinuxIO
internal import Processes

/// A prober on the client, and what it wrote so far.
final class ProbeLog {
    /// What it is called in messages.
    let name: String
    private let child: ChildProcess
    private static let readSize = 65_536
    private let path: String
    private let file: Descriptor
    private var rest: [UInt8] = []
    /// What became of all attempts so far.
    private(set) var records: [ProbeRecord] = []
    /// The lines that are no records, cut into words.
    private(set) var answers: [(began: Int64, ended: Int64, owners: [String])] = []

    /// Starts a prober; its words follow `haven lab`.
    init(_ name: String, _ lab: Lab, _ words: [String], directory: String) throws {
        self.name = name
        path = "\(directory)/\(name).log"
        var call = try lab.client.invocation(["haven", "lab"] + words)
        call.output = .append(path: path)
        call.errors = .append(path: "\(directory)/\(name).errors")
        child = try ChildProcess(call)
        // The start has made the file.
        file = try Descriptor.open(path, O_RDONLY)
    }

    /// Ends it.
    func end() {
        child.signalGroup(9)
        _ = try? child.wait(until: Clock.monotonic() + .seconds(2)) { $0.exit != nil }
    }

    /// Reads what came since the last call.
    func read() throws {
        child.progress()
        if let exit = child.exit { throw TourError("the prober “\(name)” has ended: \(exit); see \(path)") }
        while case let more = try file.read(upTo: Self.readSize), !more.isEmpty { rest += more }
        guard let last = rest.lastIndex(of: UInt8(ascii: "\n")) else { return }
        for line in String(decoding: rest[...last], as: UTF8.self).split(separator: "\n") {
            if let record = ProbeRecord(line: line) {
                records.append(record)
            } else if let answer = Self.answer(line) {
                answers.append(answer)
            }
        }
        rest = Array(rest[(last + 1)...])
    }

    private static func answer(_ line: Substring) -> (began: Int64, ended: Int64, owners: [String])? {
        let words = line.split(separator: " ")
        guard words.count == 4, words[2] == "arp", let began = Int64(words[0]), let ended = Int64(words[1]) else {
            return nil
        }
        return (began, ended, words[3] == "-" ? [] : words[3].split(separator: ",").map(String.init))
    }

    /// The records that touch a window, with enough before and after it to know the last and the first good answer.
    func records(from begin: Int64, to end: Int64) -> [ProbeRecord] {
        records.filter { $0.ended >= begin - 2_000_000_000 && $0.began <= end + 2_000_000_000 }
    }

    /// How many milliseconds of a window were questions to which two owners answered.
    func doubleMilliseconds(from begin: Int64, to end: Int64) -> Double {
        answers.filter { $0.owners.count > 1 && $0.began >= begin && $0.began <= end }
            .reduce(0) { $0 + Double($1.ended - $1.began) / 1e6 }
    }

    /// Whether attempts have succeeded without a break for a while.
    func isGood(since moment: Int64) -> Bool {
        let recent = records.reversed().prefix { $0.ended >= moment }
        return recent.count > 5 && recent.allSatisfy(\.isGood)
    }
}
