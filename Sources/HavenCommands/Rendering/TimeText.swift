import ClusterModel

/// Times for people.
enum TimeText {
    /// `3d 4h`, `12m 5s`, `3.2s`: the two largest units, tenths below a minute.
    static func duration(_ time: Milliseconds) -> String {
        if time.count < 60_000 {
            let tenths = (time.count + 50) / 100
            return "\(tenths / 10).\(tenths % 10)s"
        }
        let seconds = time.count / 1000
        let units: [(String, Int64)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
        guard let first = units.firstIndex(where: { seconds >= $0.1 }) else { return "0s" }
        let large = "\(seconds / units[first].1)\(units[first].0)"
        guard first + 1 < units.count else { return large }
        let rest = seconds % units[first].1 / units[first + 1].1
        return rest == 0 ? large : "\(large) \(rest)\(units[first + 1].0)"
    }

    /// `2026-11-22 18:04:05 UTC`, from milliseconds since 1970.
    static func date(_ milliseconds: Int64) -> String {
        let seconds = milliseconds.quotientAndRemainder(dividingBy: 1000).quotient
        let (days, second) = (floorDivide(seconds, 86_400), seconds - floorDivide(seconds, 86_400) * 86_400)
        // Days are counted from 1 March of year 0, so that the leap day is the last of its year.
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let time = [second / 3600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
        return "\(year)-\(twoDigits(month))-\(twoDigits(day)) \(time) UTC"
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func floorDivide(_ left: Int64, _ right: Int64) -> Int64 {
        left >= 0 ? left / right : (left - right + 1) / right
    }
}
