internal import CLinux
internal import FoundationEssentials
internal import LinuxIO

/// Tells a process that hangs from one that wants to run and is not let.
public enum ProcessActivity {
    /// The most threads that are looked at.
    private static let threads = 256

    /// Whether some thread of the process runs or waits for a processor; false for one that is stopped, or waits for
    /// something that does not come.
    public static func isBusy(_ process: Int32) -> Bool {
        let directory = "/proc/\(process)/task"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return false }
        return names.prefix(threads).contains { name in
            guard let file = try? Descriptor.open("\(directory)/\(name)/stat", O_RDONLY),
                let bytes = try? file.read(upTo: 512)
            else { return false }
            // The name in the second field may hold anything; the state follows the last parenthesis (proc(5)).
            let rest = String(decoding: bytes, as: UTF8.self).split(separator: ")").last
            return rest?.split(separator: " ").first == "R"
        }
    }
}
