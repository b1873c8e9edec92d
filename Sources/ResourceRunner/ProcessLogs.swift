internal import CLinux
internal import ClusterModel
internal import LinuxIO

/// The logs of supervised processes: `NAME.log`, and `NAME.log.1` with what came before.
struct ProcessLogs {
    /// Their directory.
    let directory: String

    private static let chunk = 256 * 1024

    /// The log of a resource.
    func path(_ resource: ResourceName) -> String { "\(directory)/\(resource).log" }

    /// Copies a log that has become long, and empties it.
    ///
    /// The process keeps its descriptor, so the file cannot be moved away; it writes at the end, so what it writes
    /// next stands at the beginning. Lines written between the copy and the emptying are lost.
    func turnOver(_ resource: ResourceName, limit: Int = RunnerLimits.log) {
        let path = path(resource)
        guard let log = try? Descriptor.open(path, O_RDWR) else { return }
        let size = lseek(log.number, 0, SEEK_END)
        guard size > limit else { return }
        // A full disk loses the old log, not the bound.
        try? keep(log, from: size - limit, in: path + ".1")
        _ = haven_ftruncate(log.number, 0)
    }

    private func keep(_ log: borrowing Descriptor, from start: Int, in path: String) throws(SystemError) {
        let old = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        lseek(log.number, start, SEEK_SET)
        var left = RunnerLimits.log
        while left > 0 {
            let bytes = try log.read(upTo: min(Self.chunk, left))
            if bytes.isEmpty { return }
            try old.writeAll(bytes)
            left -= bytes.count
        }
    }
}
