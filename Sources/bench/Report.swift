import CLinux
import FoundationEssentials
import LinuxIO

/// The medians of one system in one workload.
struct Row {
    var workload: String
    var system: System
    var samples: [Sample]

    func median(_ value: (Sample) -> Double) -> Double {
        let sorted = samples.map(value).sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    var cpu: Double { median(\.cpuMicroseconds) }
}

/// The table that a benchmark prints and keeps.
struct Report {
    let rows: [Row]
    let runs: Int
    let seconds: Int

    /// The most resident memory of a proxy that has nothing to do.
    private static let idleLimit = 20.0

    /// Whether haven-proxy needs at most HAProxy's CPU time everywhere, and little memory while it is idle.
    var isGood: Bool { ratios.values.allSatisfy { $0 <= 1 } && idleMegabytes < Self.idleLimit }

    /// Resident memory of haven-proxy after its start, in MB: the largest of all medians.
    private var idleMegabytes: Double {
        rows.filter { $0.system == .haven }.map { $0.median { Double($0.idleBytes) / 1_000_000 } }.max() ?? 0
    }

    /// CPU time per request against HAProxy's, by workload.
    private var ratios: [String: Double] {
        var ratios: [String: Double] = [:]
        for row in rows where row.system == .haven {
            guard let other = rows.first(where: { $0.workload == row.workload && $0.system == .haproxy }) else {
                continue
            }
            ratios[row.workload] = row.cpu / other.cpu
        }
        return ratios
    }

    var table: String {
        var lines = [
            "",
            "HTTP keep-alive, 128 bytes, cookie insert and forwardfor on both sides; \(runs) turns of \(seconds) s, medians",
            "",
            "| workload | system | CPU us/request | min | ratio | user share | requests/s | p50 us | p99 us | RSS MiB idle | under load |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for row in rows {
            let ratio = row.system == .haven ? ratios[row.workload] ?? 0 : 1
            let cells = [
                row.workload, row.system.rawValue, Self.fixed(row.cpu, 1),
                Self.fixed(row.samples.map(\.cpuMicroseconds).min() ?? 0, 1), Self.fixed(ratio, 2),
                "\(Int(row.median(\.userShare) * 100))%", "\(Int(row.median(\.perSecond)))",
                "\(Int(row.median(\.median)))", "\(Int(row.median(\.worst)))",
                Self.fixed(row.median { Double($0.idleBytes) / 1_048_576 }, 1),
                Self.fixed(row.median { Double($0.residentBytes) / 1_048_576 }, 1),
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        let isCheap = ratios.values.allSatisfy { $0 <= 1 }
        let memory = Self.fixed(idleMegabytes, 1)
        let limit = Self.fixed(Self.idleLimit, 0)
        lines += [
            "",
            "haven-proxy needs \(isCheap ? "no more" : "MORE") CPU time (user and system) per request than HAProxy.",
            "Idle it takes \(memory) MB of memory, \(idleMegabytes < Self.idleLimit ? "less" : "MORE") than \(limit) MB.",
            "",
        ]
        return lines.joined(separator: "\n")
    }

    /// Keeps the table and the figures.
    func save(to directory: String) throws {
        if mkdir(directory, 0o755) != 0, haven_errno() != EEXIST {
            throw SystemError(call: "mkdir", subject: directory, code: haven_errno())
        }
        var figures: [String: [String: Double]] = [:]
        for row in rows { figures[row.workload, default: [:]][row.system.rawValue] = row.cpu }
        let memory = ["haven-proxy": ["idle_rss_mb": idleMegabytes]]
        let json = try JSONEncoder().encode(["cpu_us_per_request": figures, "memory": memory])
        for (name, bytes) in [("keepalive.md", Array(table.utf8)), ("keepalive.json", [UInt8](json))] {
            try Descriptor.open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).writeAll(bytes)
        }
    }

    /// A number with so many decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((value * scale).rounded())
        guard decimals > 0 else { return "\(scaled)" }
        let digits = "\(scaled % Int64(scale))"
        return "\(scaled / Int64(scale))." + String(repeating: "0", count: decimals - digits.count) + digits
    }
}
