internal import CLinux
public import LinuxIO

/// The variable by which processes of a resource are known, whatever group they moved to.
public enum ProcessMark {
    /// Set to the resource's name in everything that is started for it, and inherited.
    public static let variable = "HAVEN_RESOURCE"
}

/// What the kernel says of a process (proc_pid_stat(5)).
public struct ProcessFacts: Hashable, Sendable {
    /// Its id.
    public let pid: Int32
    /// Its process group.
    public let group: Int32
    /// When it started, in clock ticks since boot; with the id, this names a process for as long as the machine runs.
    public let startTime: UInt64
    /// Whether it has ended and only waits to be collected.
    public let isDead: Bool

    /// Reads them; nil when there is no such process.
    public init?(of pid: Int32) {
        // The program's name stands in parentheses and may hold anything, parentheses included.
        guard let bytes = readFile("/proc/\(pid)/stat", limit: 4096), let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let group = Int32(String(decoding: fields[2], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.pid = pid
        self.group = group
        self.startTime = startTime
        isDead = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }
}

/// The processes of this machine (of this process's pid namespace).
public enum ProcessTable {
    /// The longest environment that is searched for the mark.
    private static let longestEnvironment = 1 << 20

    /// Makes sure that /proc shows the pid namespace in which this process lives: the numbers in it are sent signals.
    public static func check() throws(SystemError) {
        var target = [CChar](repeating: 0, count: 16)
        let length = readlink("/proc/self", &target, target.count - 1)
        let shown = length > 0 ? String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        guard shown == String(getpid()) else {
            throw SystemError(call: "look at", subject: "/proc, which is not that of this pid namespace", code: ESRCH)
        }
    }

    /// The living processes that belong to a resource: by their group, or by the mark in their environment.
    ///
    /// - Parameters:
    ///   - resource: The resource's name; nil looks at groups only.
    ///   - group: The process group that was made for it; nil when that is not known.
    /// - Returns: Their ids, without any order.
    public static func members(of resource: String?, group: Int32?) -> [Int32] {
        let marks = Set([resource].compactMap(\.self).map(mark))
        return select { $0.group == group || (resource != nil && isMarked($0.pid, marks)) }
    }

    /// The living processes that carry the mark of any of these resources, without any order.
    public static func marked(with resources: Set<String>) -> [Int32] {
        if resources.isEmpty { return [] }
        let marks = Set(resources.map(mark))
        return select { isMarked($0.pid, marks) }
    }

    private static func mark(_ resource: String) -> [UInt8] { Array("\(ProcessMark.variable)=\(resource)".utf8) }

    private static func select(_ condition: (ProcessFacts) -> Bool) -> [Int32] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let pid = Int32(name), pid != getpid(), let facts = ProcessFacts(of: pid), !facts.isDead
            else { continue }
            if condition(facts) { found.append(pid) }
        }
        return found
    }

    private static func isMarked(_ pid: Int32, _ marks: Set<[UInt8]>) -> Bool {
        guard let bytes = readFile("/proc/\(pid)/environ", limit: longestEnvironment) else { return false }
        let start = Array("\(ProcessMark.variable)=".utf8)
        return bytes.split(separator: 0).contains { $0.starts(with: start) && marks.contains(Array($0)) }
    }
}

/// Reads a small file as a whole; nil when it cannot be read.
public func readFile(_ path: String, limit: Int) -> [UInt8]? {
    guard let file = try? Descriptor.open(path, O_RDONLY) else { return nil }
    var bytes: [UInt8] = []
    while bytes.count < limit {
        guard let more = try? file.read(upTo: min(65_536, limit - bytes.count)) else { return nil }
        if more.isEmpty { break }
        bytes += more
    }
    return bytes
}
