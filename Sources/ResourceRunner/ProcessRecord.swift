internal import ClusterModel
internal import FoundationEssentials
internal import LinuxIO

/// What is written down of a supervised process, so that the next agent finds it.
struct ProcessRecord: Codable, Equatable {
    /// The resource, again, for who reads the file.
    let resource: ResourceName
    /// The process and its group; nil while it is being started: then only the mark in its environment tells.
    let pid: Int32?
    /// See `ProcessFacts.startTime`.
    let startTime: UInt64?

    /// What a directory holds for a resource.
    enum Finding: Equatable {
        /// No process was left running.
        case nothing
        /// This process was.
        case record(ProcessRecord)
        /// A file that cannot be read.
        case unreadable
    }
}

/// The directory of records, one file for each resource.
struct ProcessRecords {
    /// Its path.
    let directory: String

    private static let longest = 4096

    private func path(_ resource: ResourceName) -> String { "\(directory)/\(resource).json" }

    /// Writes a record in place of an older one.
    func write(_ record: ProcessRecord) throws(SystemError) {
        // Three plain fields always encode.
        guard let data = try? JSONEncoder().encode(record) else { preconditionFailure("a record encodes") }
        try DurableFile.replace(path(record.resource), content: Array(data), mode: 0o600)
    }

    /// Forgets a resource whose processes are gone. A record that stays costs one more look at the process table.
    func remove(_ resource: ResourceName) { try? DurableFile.remove(path(resource)) }

    /// What is written of a resource.
    func find(_ resource: ResourceName) -> ProcessRecord.Finding {
        guard let bytes = readFile(path(resource), limit: Self.longest) else { return .nothing }
        guard let record = try? JSONDecoder().decode(ProcessRecord.self, from: Data(bytes)) else { return .unreadable }
        return .record(record)
    }
}
