import ArgumentParser

/// `A..+N`: N seeds from A on; `A..B`: those from A to B; `A`: one.
struct SeedRange: ExpressibleByArgument {
    let seeds: ClosedRange<UInt64>

    init(_ seeds: ClosedRange<UInt64>) { self.seeds = seeds }

    init?(argument: String) {
        guard let dots = argument.firstRange(of: "..") else {
            guard let seed = UInt64(argument) else { return nil }
            seeds = seed...seed
            return
        }
        let rest = argument[dots.upperBound...]
        guard let first = UInt64(argument[..<dots.lowerBound]) else { return nil }
        let last =
            rest.hasPrefix("+") ? UInt64(rest.dropFirst()).flatMap { $0 > 0 ? first + $0 - 1 : nil } : UInt64(rest)
        guard let last, last >= first else { return nil }
        seeds = first...last
    }
}
