internal import CLinux
internal import LinuxIO

/// Held while something changes a lab, so that two commands, or a BMC and a command, do not meet half-way.
struct LabLock: ~Copyable {
    private let file: Descriptor
    private let path: String

    /// Waits for it; each holder is done within seconds, as all that it runs has a time limit.
    init(_ paths: LabPaths) throws(LabError) {
        path = paths.lock
        do throws(SystemError) {
            while true {
                let file = try Descriptor.open(paths.lock, O_RDWR | O_CREAT, mode: 0o600)
                let number = file.number
                try SystemError.check("flock", paths.lock) { haven_flock(number, LOCK_EX) }
                // The one before may have removed the file while this one waited; then the lock holds nobody off.
                if Self.isSame(number, paths.lock) {
                    self.file = file
                    return
                }
            }
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Removes the file first: who waits for it finds that out, and makes a new one.
    deinit { unlink(path) }

    private static func isSame(_ number: Int32, _ path: String) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(number, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino
    }
}
