internal import FoundationEssentials

/// What one run of one step showed.
public struct StepResult: Hashable, Sendable {
    /// Which.
    public var step: StepName
    /// How long the clients got no right answer, in milliseconds: HTTP and TCP listener, and the process.
    public var web = 0.0
    /// See `web`.
    public var stream = 0.0
    /// See `web`.
    public var solo = 0.0
    /// Outages of the HTTP listener after or before the longest one, in milliseconds.
    public var further: [Double] = []
    /// From the fault to the verified power-off, in milliseconds; nil where none was needed.
    public var fence: Double?
    /// How long two hosts had the address, in milliseconds.
    public var doubleOwner = 0.0
    /// What moved: `VirtualIP ctl1 -> ctl2`.
    public var moved: [String] = []
    /// Sessions that went to another server though theirs lived.
    public var lostSessions = 0
    /// Sessions that went to another server because theirs died.
    public var movedSessions = 0
    /// Wrong answers, with what was wrong.
    public var wrong: [String] = []

    /// Starts a result.
    public init(_ step: StepName) { self.step = step }

    /// The outage that the step is about.
    public var outage: Double { step == .processDeath ? solo : web }
}

/// All results of a tour, as a table and as a file.
public struct TourReport: Sendable {
    /// In the order in which they came.
    public var results: [StepResult] = []

    /// Starts an empty one.
    public init() {}

    private func results(of step: StepName) -> [StepResult] { results.filter { $0.step == step } }

    /// What spoils the verdict; empty for a good one.
    public var objections: [String] {
        var objections: [String] = []
        for step in StepName.allCases {
            let results = results(of: step)
            if results.isEmpty { objections.append("\(step.rawValue): was not reached") }
            let double = results.map(\.doubleOwner).max() ?? 0
            if double > 0 {
                objections.append("\(step.rawValue): two owners of the address for \(Self.figure(double)) ms")
            }
            let lost = results.map(\.lostSessions).reduce(0, +)
            if lost > 0 { objections.append("\(step.rawValue): \(lost) sessions left a server that lived") }
            let wrong = results.flatMap(\.wrong)
            if !wrong.isEmpty {
                let kinds = Set(wrong).sorted().joined(separator: ", ")
                objections.append("\(step.rawValue): \(wrong.count) wrong answers (\(kinds))")
            }
        }
        return objections
    }

    /// The table of outages.
    public var table: String {
        var rows = [
            [
                "step", "runs", "outage ms", "max", "tcp ms", "process ms", "fence ms", "two owners ms", "sessions",
                "moved",
            ]
        ]
        for step in StepName.allCases {
            let results = results(of: step)
            guard let last = results.last else { continue }
            let sessions =
                "\(results.map(\.movedSessions).reduce(0, +)) moved, "
                + "\(results.map(\.lostSessions).reduce(0, +)) lost"
            rows.append([
                step.rawValue, "\(results.count)",
                Self.figure(Series(values: results.map(\.outage)).median),
                Self.figure(results.map(\.outage).max()),
                Self.figure(Series(values: results.map(\.stream)).median),
                Self.figure(Series(values: results.map(\.solo)).median),
                Self.figure(Series(values: results.compactMap(\.fence)).median),
                Self.figure(results.map(\.doubleOwner).max()),
                sessions, last.moved.joined(separator: ", "),
            ])
        }
        return TextTable.text(rows)
    }

    private struct File: Encodable {
        struct Step: Encodable {
            var name: String
            var runs: Int
            var outageMedian: Double
            var outageMaximum: Double
            /// Written as null where no fence was needed.
            var fence: Double?
            var doubleOwner: Double

            enum CodingKeys: String, CodingKey {
                case name
                case runs
                case outageMedian = "outage_ms_median"
                case outageMaximum = "outage_ms_max"
                case fence = "fence_ms"
                case doubleOwner = "double_owner_ms"
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(name, forKey: .name)
                try container.encode(runs, forKey: .runs)
                try container.encode(outageMedian, forKey: .outageMedian)
                try container.encode(outageMaximum, forKey: .outageMaximum)
                try container.encode(fence, forKey: .fence)
                try container.encode(doubleOwner, forKey: .doubleOwner)
            }
        }

        var steps: [Step]
        var wrongAnswers: Int

        enum CodingKeys: String, CodingKey {
            case steps
            case wrongAnswers = "wrong_answers"
        }
    }

    /// The file's content.
    public func json() throws -> String {
        let steps = StepName.allCases.compactMap { step -> File.Step? in
            let results = results(of: step)
            guard !results.isEmpty else { return nil }
            return File.Step(
                name: step.rawValue,
                runs: results.count,
                outageMedian: Self.rounded(Series(values: results.map(\.outage)).median ?? 0),
                outageMaximum: Self.rounded(results.map(\.outage).max() ?? 0),
                fence: Series(values: results.compactMap(\.fence)).median.map(Self.rounded),
                doubleOwner: Self.rounded(results.map(\.doubleOwner).max() ?? 0)
            )
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted]
        let file = File(steps: steps, wrongAnswers: results.flatMap(\.wrong).count)
        return String(decoding: try encoder.encode(file), as: UTF8.self) + "\n"
    }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    /// A whole number of milliseconds, `-` for none.
    static func figure(_ value: Double?) -> String {
        value.map { "\(Int($0.rounded()))" } ?? "-"
    }
}
