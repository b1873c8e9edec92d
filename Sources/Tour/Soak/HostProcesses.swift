internal import FoundationEssentials
internal import Lab
internal import Processes

/// The product's processes on a lab host, as the machine outside sees them.
struct HostProcesses {
    /// A process of ours.
    struct Process {
        let pid: Int32
        let program: String
        let isSupervisor: Bool
    }

    let processes: [Process]

    /// Looks for them.
    init(on host: LabHost) {
        processes = host.firstProcess.map { Self.find(besides: $0.pid) } ?? []
    }

    private static func find(besides first: Int32) -> [Process] {
        let files = FileManager.default
        func link(_ pid: Int32, _ name: String) -> String? {
            try? files.destinationOfSymbolicLink(atPath: "/proc/\(pid)/\(name)")
        }
        guard let space = link(first, "ns/pid") else { return [] }
        let pids = ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        return pids.compactMap { pid in
            guard link(pid, "ns/pid") == space, let path = link(pid, "exe"), let slash = path.lastIndex(of: "/"),
                case let program = String(path[path.index(after: slash)...]),
                ["havend", "haven-proxy"].contains(program)
            else { return nil }
            let words = files.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            let isSupervisor = words.split(separator: 0).contains { $0.elementsEqual("--supervise".utf8) }
            return Process(pid: pid, program: program, isSupervisor: isSupervisor)
        }
    }

    /// The agent itself, without its supervisor; nil where none runs.
    var agent: Int32? { processes.first { $0.program == "havend" && !$0.isSupervisor }?.pid }

    /// Processor time that a program has taken since it started, in seconds; the agent's includes its supervisor's.
    func processorTime(of program: String) -> Double {
        processes.filter { $0.program == program }.map { Self.processorTime(of: $0.pid) }.reduce(0, +)
    }

    /// Memory of a program in megabytes.
    func memory(of program: String) -> Double {
        let pids = processes.filter { $0.program == program && !$0.isSupervisor }.map(\.pid)
        return pids.compactMap(Self.memory).max() ?? 0
    }

    /// Clock ticks of /proc are hundredths of a second on every Linux that this is built for.
    private static func processorTime(of pid: Int32) -> Double {
        guard let text = read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / 100
    }

    private static func memory(of pid: Int32) -> Double? {
        let line = read("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let words = line?.split(whereSeparator: \.isWhitespace), words.count > 1 else { return nil }
        return Double(words[1]).map { $0 / 1024 }
    }

    static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// What all processors of this machine have done since it booted, whoever used them.
struct ProcessorLoad {
    private var idle = 0.0
    private var all = 0.0

    /// Reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
    init() {
        let fields = HostProcesses.read("/proc/stat")?.split(separator: "\n").first?.split(separator: " ") ?? []
        let times = fields.dropFirst().prefix(8).compactMap { Double($0) }
        guard times.count == 8 else { return }
        idle = times[3] + times[4]
        all = times.reduce(0, +)
    }

    /// The share of the time since an earlier reading in which processors had work.
    func busyShare(since earlier: ProcessorLoad) -> Double {
        all > earlier.all ? 1 - (idle - earlier.idle) / (all - earlier.all) : 0
    }
}
