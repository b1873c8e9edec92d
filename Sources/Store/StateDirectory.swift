internal import CLinux
internal import LinuxIO

/// The directory of a node's durable files: mode 0700, its files 0600.
public struct StateDirectory: Hashable, Sendable {
    /// Where it is.
    public let path: String

    /// The files in it.
    public enum File: String, CaseIterable, Sendable {
        /// Vote, log, snapshot, incarnation.
        case state = "state.db"
        /// Who this node is and the cluster's secrets.
        case identity = "identity"
    }

    /// The largest small file.
    public static let largestFile = 1 << 20

    /// Names a directory that need not be there yet.
    public init(path: String) { self.path = path }

    /// The full path of a file.
    public func path(of file: File) -> String { "\(path)/\(file.rawValue)" }

    /// Makes the directory (not its parents) unless it is there, and closes it to others.
    public func create() throws(StoreError) {
        let path = path
        try reporting(path) { () throws(SystemError) in
            let made = haven_mkdir(path, 0o700)
            if made < 0, made != -Int(EEXIST) { throw SystemError(call: "mkdir", subject: path, code: Int32(-made)) }
            let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
            let number = directory.number
            try SystemError.check("chmod", path) { haven_fchmod(number, 0o700) }
        }
    }

    /// Whether the file is there.
    public func contains(_ file: File) throws(StoreError) -> Bool {
        let path = path(of: file)
        return try reporting(path) { () throws(SystemError) in
            do throws(SystemError) {
                _ = try Descriptor.open(path, O_RDONLY).number
                return true
            } catch {
                if error.code == ENOENT { return false }
                throw error
            }
        }
    }

    /// Replaces a small file as a whole: a reader after any crash sees the old bytes or the new.
    public func write(_ bytes: [UInt8], to file: File) throws(StoreError) {
        let path = path(of: file)
        try reporting(path) { () throws(SystemError) in
            try DurableFile.replace(path, content: bytes, mode: 0o600)
        }
    }

    /// Reads a small file; nil when it is not there, an error when others may read or write it.
    public func read(_ file: File) throws(StoreError) -> [UInt8]? {
        guard try contains(file) else { return nil }
        let path = path(of: file)
        let bytes = try reporting(path) { () throws(SystemError) -> [UInt8]? in
            let input = try Descriptor.open(path, O_RDONLY)
            let number = input.number
            let mode = try SystemError.check("stat", path) { haven_mode(number) }
            guard mode & 0o077 == 0 else { return nil }
            var bytes: [UInt8] = []
            while bytes.count <= Self.largestFile {
                let more = try input.read(upTo: 1 << 16)
                if more.isEmpty { return bytes }
                bytes += more
            }
            throw SystemError(call: "read", subject: path, code: EFBIG)
        }
        guard let bytes else { throw .exposed(path: path) }
        return bytes
    }

    /// Removes the named files and what belongs to them; a file that is not there is no error.
    public func remove(_ files: [File] = File.allCases) throws(StoreError) {
        for file in files {
            let path = path(of: file)
            for suffix in ["", "-wal", "-shm", "-journal"] {
                try reporting(path) { () throws(SystemError) in
                    let result = haven_unlink(path + suffix)
                    if result < 0, result != -Int(ENOENT) {
                        throw SystemError(call: "unlink", subject: path + suffix, code: Int32(-result))
                    }
                }
            }
        }
        try sync()
    }

    /// Makes an empty file of mode 0600 for SQLite, whose own files take their mode from it.
    func makeEmptyFile(_ file: File) throws(StoreError) {
        let path = path(of: file)
        try reporting(path) { () throws(SystemError) in
            _ = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600).number
        }
        try sync()
    }

    /// Makes new and removed names durable.
    func sync() throws(StoreError) {
        let path = path
        try reporting(path) { () throws(SystemError) in
            let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
            let number = directory.number
            try SystemError.check("fsync", path) { haven_fsync(number) }
        }
    }

    private func reporting<Result>(
        _ path: String,
        _ body: () throws(SystemError) -> Result
    ) throws(StoreError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            if error.code == ENOSPC || error.code == EDQUOT { throw .diskFull(path: path) }
            throw .failed(path: path, detail: error.description)
        }
    }
}
