internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes

/// What is written down of a supervised process, or of an agent at work, so that the next agent of this node finds it.
struct ProcessRecord: Equatable {
    /// The resource.
    let resource: ResourceName
    /// The process; nil while it is being started: then only the mark in its environment tells.
    let process: Identity?

    /// Names a process for as long as the machine runs.
    struct Identity: Equatable {
        /// Its id, which is its group's too.
        let pid: Int32
        /// See `ProcessFacts.startTime`.
        let startTime: UInt64
    }

    /// What a directory holds for a resource.
    enum Finding: Equatable {
        /// No process was left running.
        case nothing
        /// One was, or was being started.
        case record(ProcessRecord)
        /// A file that cannot be read.
        case unreadable
    }

    init(resource: ResourceName, process: Identity?) {
        self.resource = resource
        self.process = process
    }

    /// Reads the file's text: the version of the format, then the two numbers of the process or `starting`.
    init?(resource: ResourceName, parsing bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.first == Self.format else { return nil }
        self.resource = resource
        if words.count == 2, words[1] == Self.starting {
            process = nil
        } else if words.count == 3, let pid = Int32(words[1]), pid > 1, let startTime = UInt64(words[2]) {
            process = Identity(pid: pid, startTime: startTime)
        } else {
            return nil
        }
    }

    /// The file's text.
    var encoded: [UInt8] {
        let state = process.map { "\($0.pid) \($0.startTime)" } ?? String(Self.starting)
        return Array("\(Self.format) \(state)\n".utf8)
    }

    private static let format: Substring = "haven-process-1"
    private static let starting: Substring = "starting"
}

/// A directory of records, one file of a kind for each resource.
struct ProcessRecords {
    /// Its path.
    let directory: String
    /// The kind: what the files' names end in.
    let kind: String

    private static let longest = 4096

    private func path(_ resource: ResourceName) -> String { "\(directory)/\(resource).\(kind)" }

    /// Writes a record in place of an older one.
    ///
    /// It is not synced to the disk: it has to survive the agent, while a power loss ends what it tells of.
    func write(_ record: ProcessRecord) throws(SystemError) {
        let path = path(record.resource)
        let file = try Descriptor.open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(record.encoded)
        try SystemError.check("rename", path) { rename(path + ".new", path) == 0 ? 0 : -Int(haven_errno()) }
    }

    /// Forgets a resource whose processes are gone.
    ///
    /// A record that stays costs one more look at the process table.
    func remove(_ resource: ResourceName) { _ = unlink(path(resource)) }

    /// What is written of a resource.
    func find(_ resource: ResourceName) -> ProcessRecord.Finding {
        let path = path(resource)
        // Only a file that is surely not there says that nothing runs.
        guard let bytes = readFile(path, limit: Self.longest) else {
            return access(path, F_OK) == 0 || haven_errno() != ENOENT ? .unreadable : .nothing
        }
        return ProcessRecord(resource: resource, parsing: bytes).map { .record($0) } ?? .unreadable
    }
}
