/// Collects problems; the checks that several parts of a configuration share.
struct Findings {
    private(set) var problems: [ConfigurationProblem] = []

    mutating func add(_ place: ConfigurationPlace, _ text: String, remedy: String = "") {
        problems.append(ConfigurationProblem(place, text, remedy: remedy))
    }

    mutating func checkName(_ name: String, _ place: ConfigurationPlace) {
        if let violation = NameRule.violation(name) { add(place, violation) }
    }

    mutating func checkUnique(_ name: String, _ seen: inout Set<String>, _ place: ConfigurationPlace) {
        if !seen.insert(name).inserted {
            add(place, "the name is given twice", remedy: "choose another for one of them")
        }
    }

    mutating func checkCount(_ count: Int, _ limit: Int, _ place: ConfigurationPlace) {
        if count > limit { add(place, "\(count) are more than the limit of \(limit)") }
    }

    mutating func checkRange<Value: Comparable & CustomStringConvertible>(
        _ value: Value,
        _ range: ClosedRange<Value>,
        _ what: String,
        _ place: ConfigurationPlace
    ) {
        if !range.contains(value) {
            add(place, "\(what) \(value) is not within \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// A reference to something that must be there.
    mutating func checkKnown(_ name: String, _ known: Set<String>, _ what: String, _ place: ConfigurationPlace) {
        guard !known.contains(name) else { return }
        add(place, "there is no \(what) \"\(name)\"", remedy: Known(known).remedy(for: name, plural: "\(what)s"))
    }

    /// Free text: bounded and without the byte that ends it in every system call.
    mutating func checkText(_ text: String, _ what: String, _ place: ConfigurationPlace) {
        if text.utf8.count > ConfigurationLimits.textLength {
            add(place, "\(what) is longer than \(ConfigurationLimits.textLength) bytes")
        }
        if text.utf8.contains(0) { add(place, "\(what) holds a NUL byte") }
    }

    /// Parameters of an agent: names become environment variables or `name=value` lines.
    mutating func checkParameters(_ parameters: [String: String], _ place: ConfigurationPlace) {
        checkCount(parameters.count, ConfigurationLimits.parameters, place)
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            let plain = name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
            if !plain || name.isEmpty || name.utf8.count > NameRule.longest {
                add(place, "\"\(name)\" is no parameter's name", remedy: "names hold letters, digits, \"_\" and \"-\"")
            }
            checkText(value, "parameter \"\(name)\"", place)
            if value.utf8.contains(UInt8(ascii: "\n")) { add(place, "parameter \"\(name)\" holds a line break") }
        }
    }
}

/// The names that exist, told to who asked for one that does not.
struct Known {
    private let names: [String]
    /// How many names an error lists.
    private static let listed = 8

    init(_ names: some Sequence<String>) { self.names = names.sorted() }

    /// `resources: App, VIP`, or the nearest one where one is near.
    func remedy(for name: String, plural: String) -> String {
        if names.isEmpty { return "there are no \(plural) yet" }
        if let nearest = NearestName.among(names, to: name), names.count > Self.listed {
            return "did you mean \"\(nearest)\"?"
        }
        let rest = names.count > Self.listed ? ", … (\(names.count))" : ""
        return "\(plural): \(names.prefix(Self.listed).joined(separator: ", "))\(rest)"
    }
}
