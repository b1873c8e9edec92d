public import CLinux

/// Files whose content survives a power loss once the call has returned.
public enum DurableFile {
    /// Writes a new file: under a temporary name, synced, then linked to its name, and the directory synced.
    ///
    /// Fails with EEXIST when the file is there already.
    public static func create(_ path: String, content: [UInt8], mode: mode_t) throws(SystemError) {
        let temporary = try writeTemporary(path, content: content, mode: mode)
        defer { unlink(temporary) }
        try SystemError.check("link", path) { link(temporary, path) == 0 ? 0 : -Int(haven_errno()) }
        try syncDirectory(of: path)
    }

    /// Writes a file, replacing an older one in one step.
    public static func replace(_ path: String, content: [UInt8], mode: mode_t) throws(SystemError) {
        let temporary = try writeTemporary(path, content: content, mode: mode)
        try SystemError.check("rename", path) { rename(temporary, path) == 0 ? 0 : -Int(haven_errno()) }
        try syncDirectory(of: path)
    }

    /// Removes a file if it is there, and syncs the directory.
    public static func remove(_ path: String) throws(SystemError) {
        let result = unlink(path) == 0 ? 0 : -Int(haven_errno())
        if result == -Int(ENOENT) { return }
        try SystemError.check("unlink", path) { result }
        try syncDirectory(of: path)
    }

    private static func writeTemporary(
        _ path: String,
        content: [UInt8],
        mode: mode_t
    ) throws(SystemError) -> String {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        let number = file.number
        do throws(SystemError) {
            try file.writeAll(content)
            try SystemError.check("fsync", temporary) { fsync(number) == 0 ? 0 : -Int(haven_errno()) }
        } catch {
            unlink(temporary)
            throw error
        }
        return temporary
    }

    private static func syncDirectory(of path: String) throws(SystemError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let number = try Descriptor.open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY).release()
        defer { _ = haven_close(number) }
        try SystemError.check("fsync", directory) { fsync(number) == 0 ? 0 : -Int(haven_errno()) }
    }
}
