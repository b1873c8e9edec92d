internal import CLinux
internal import LinuxIO

/// The directories that a runner needs.
enum Directories {
    /// Makes them with their parents where they are missing.
    static func make(_ settings: RunnerSettings) throws(SystemError) {
        try make(settings.stateDirectory, mode: 0o700)
        try make(settings.logDirectory, mode: 0o750)
    }

    /// Makes one directory and its parents; one that is there stays as it is.
    static func make(_ path: String, mode: mode_t) throws(SystemError) {
        var partial = ""
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated() {
            partial += "/\(part)"
            let result = mkdir(partial, index == parts.count - 1 ? mode : 0o755) == 0 ? 0 : -Int(haven_errno())
            if result == -Int(EEXIST) { continue }
            try SystemError.check("mkdir", partial) { result }
        }
    }
}
