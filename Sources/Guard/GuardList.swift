internal import CLinux
public import ClusterModel
public import LinuxIO
public import Processes

/// What must end with a node's lease, as the agent writes it down for the guard.
///
/// A text file, because a second process reads it that must be small: a head, then a line for each thing.
public struct GuardList: Hashable, Sendable {
    /// The start of the agent that wrote it; a guard serves one.
    public var session: String
    /// The agent itself.
    public var agent: ProcessIdentity
    /// Virtual IPs, which leave every interface when the lease is over.
    public var addresses: Set<IPAddress> = []
    /// Resources whose processes are killed when the lease is over.
    public var leased: Set<ResourceName> = []
    /// Resources whose processes are killed some time later, if the agent cannot stop them.
    public var others: Set<ResourceName> = []
    /// What is done with a node on which something of `leased` survives that.
    public var selfFence: SelfFence?
    /// The time of a watchdog, in seconds.
    public var watchdogSeconds: Int32 = 5

    /// The longest file.
    public static let longest = 4 << 20
    private static let format: Substring = "haven-guard-1"
    private static let end: Substring = "end"

    /// Lists nothing.
    public init(session: String, agent: ProcessIdentity) {
        self.session = session
        self.agent = agent
    }

    /// Reads the file's text; nil for what is not whole.
    public init?(parsing bytes: [UInt8]) {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")[...]
        guard let head = lines.popFirst()?.split(separator: " "), head.count == 4, head[0] == Self.format,
            let pid = Int32(head[2]), let ticks = UInt64(head[3]), lines.popLast() == Self.end
        else { return nil }
        self.init(session: String(head[1]), agent: ProcessIdentity(pid: pid, startTicks: ticks))
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count == 2 else { return nil }
            let name = String(words[1])
            switch words[0] {
            case "address":
                guard let address = IPAddress(name) else { return nil }
                addresses.insert(address)
            case "leased": leased.insert(name)
            case "other": others.insert(name)
            case "self-fence":
                guard let known = SelfFence(rawValue: name) else { return nil }
                selfFence = known
            case "watchdog-seconds":
                guard let seconds = Int32(name), seconds > 0 else { return nil }
                watchdogSeconds = seconds
            default: return nil
            }
        }
    }

    /// The file's text.
    public var encoded: [UInt8] {
        var lines = ["\(Self.format) \(session) \(agent.pid) \(agent.startTicks)"]
        lines += addresses.sorted().map { "address \($0)" }
        lines += leased.sorted().map { "leased \($0)" }
        lines += others.sorted().map { "other \($0)" }
        lines.append("watchdog-seconds \(watchdogSeconds)")
        if let selfFence { lines.append("self-fence \(selfFence.rawValue)") }
        return Array((lines.joined(separator: "\n") + "\n\(Self.end)\n").utf8)
    }

    /// What was found where a list should be.
    public enum Finding: Hashable, Sendable {
        /// There is none: nothing is to be guarded.
        case nothing
        /// Something that cannot be read.
        case unreadable
        /// A list.
        case list(GuardList)
    }

    /// Reads the file.
    public static func read(_ path: String) -> Finding {
        var cache = Cache()
        return read(path, &cache)
    }

    /// The file as it was read last: a list of thousands of lines is only parsed when it has changed.
    struct Cache {
        fileprivate var bytes: [UInt8]?
        fileprivate var list: GuardList?
    }

    static func read(_ path: String, _ cache: inout Cache) -> Finding {
        guard let bytes = readFile(path, limit: longest) else {
            return access(path, F_OK) == 0 || haven_errno() != ENOENT ? .unreadable : .nothing
        }
        if bytes != cache.bytes { cache = Cache(bytes: bytes, list: GuardList(parsing: bytes)) }
        return cache.list.map { .list($0) } ?? .unreadable
    }

    /// Writes the file in place of an older one.
    ///
    /// It is not synced to the disk: a power loss ends all that it tells of.
    public func write(_ path: String) throws(SystemError) {
        do {
            let file = try Descriptor.open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
            try file.writeAll(encoded)
        }
        try SystemError.check("rename", path) { rename(path + ".new", path) == 0 ? 0 : -Int(haven_errno()) }
    }
}
