import CLinux
import FoundationEssentials
import LinuxIO

/// What a process has used so far.
struct ProcessUsage {
    /// Time on a processor, all threads, in nanoseconds: the same clock as user + system time, but finer.
    var nanoseconds: UInt64 = 0
    /// User time in ticks of the clock.
    var userTicks: UInt64 = 0
    /// User and system time in ticks of the clock.
    var allTicks: UInt64 = 0
    var residentBytes: UInt64 = 0

    init(pid: Int32) throws {
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task") {
            let fields = try Self.read("/proc/\(pid)/task/\(thread)/schedstat").split(separator: " ")
            nanoseconds += fields.first.flatMap { UInt64($0) } ?? 0
        }
        // The name in the second field may hold spaces; fields count from behind it (proc(5)).
        let stat = try Self.read("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard stat.count > 21, let user = UInt64(stat[11]), let system = UInt64(stat[12]) else {
            throw BenchmarkError("/proc/\(pid)/stat is not as expected")
        }
        userTicks = user
        allTicks = user + system
        residentBytes = (UInt64(stat[21]) ?? 0) * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func read(_ path: String) throws -> String {
        String(decoding: try Descriptor.open(path, O_RDONLY).read(upTo: 4096), as: UTF8.self)
    }
}

/// What wrk saw.
struct LoadResult {
    var requests = 0
    var perSecond = 0.0
    /// Latencies in microseconds.
    var median = 0.0
    var worst = 0.0
    var errors = 0

    /// Reads wrk's report; nil when it is none.
    init?(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "50%": median = words.last.flatMap(Self.microseconds) ?? 0
            case "99%": worst = words.last.flatMap(Self.microseconds) ?? 0
            case "Requests/sec:": perSecond = words.last.flatMap { Double($0) } ?? 0
            case "Non-2xx", "Socket": errors += 1
            default: if words.count > 2, words[1] == "requests" { requests = Int(words[0]) ?? 0 }
            }
        }
        guard requests > 0 else { return nil }
    }

    private static func microseconds(_ text: Substring) -> Double? {
        let units: [(String, Double)] = [("us", 1), ("ms", 1000), ("s", 1_000_000)]
        for (unit, size) in units where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * size }
        }
        return nil
    }
}

/// One turn of one system.
struct Sample {
    var cpuMicroseconds: Double
    var userShare: Double
    var perSecond: Double
    var median: Double
    var worst: Double
    var idleBytes: UInt64
    var residentBytes: UInt64

    init(_ result: LoadResult, before: ProcessUsage, after: ProcessUsage, idleBytes: UInt64) {
        cpuMicroseconds = Double(after.nanoseconds - before.nanoseconds) / 1000 / Double(result.requests)
        let ticks = after.allTicks - before.allTicks
        userShare = ticks == 0 ? 0 : Double(after.userTicks - before.userTicks) / Double(ticks)
        perSecond = result.perSecond
        median = result.median
        worst = result.worst
        self.idleBytes = idleBytes
        residentBytes = after.residentBytes
    }
}
