internal import CLinux

/// A program to start: which, with what words, what it reads and where its output goes.
///
/// The words are handed over as they are; no shell sees them.
public struct Invocation: Sendable {
    /// The program's path; not searched for.
    public var executable: String
    /// The words after the program's name.
    public var arguments: [String]
    /// All that its environment holds; nil: the environment of this process.
    public var environment: [String: String]?
    /// Where it runs; nil: where this process runs.
    public var directory: String?
    /// Whom it runs as; nil: as this process.
    public var identity: UserIdentity?
    /// What it reads.
    public var input: Input
    /// Where its standard output goes.
    public var output: Output
    /// Where its standard error goes.
    public var errors: Output
    /// Descriptors of this process that the program finds as 3, 4 and so on; all others are closed.
    public var passed: [Int32]
    /// Whether it leaves this process's session, as a daemon does; otherwise it only gets a process group of its own.
    public var newSession: Bool
    /// What happens to the rest of its process group once it has ended.
    public var leftovers: Leftovers

    /// What a program reads.
    public enum Input: Sendable {
        /// The end of the input at once.
        case nothing
        /// These bytes, then the end.
        case bytes([UInt8])
        /// A descriptor of this process.
        case descriptor(Int32)
    }

    /// Where output goes.
    public enum Output: Sendable {
        /// Nowhere.
        case discard
        /// Into memory, up to so many bytes; more is read, counted and dropped, so that the program never blocks.
        case capture(limit: Int)
        /// The same, but the last bytes are kept: for output whose end says what went wrong.
        case captureEnd(limit: Int)
        /// To the end of a file, made with mode 0600.
        case append(path: String)
        /// A descriptor of this process.
        case descriptor(Int32)

        var keepsEnd: Bool { if case .captureEnd = self { true } else { false } }
    }

    /// What happens to processes that outlive the one that was started.
    public enum Leftovers: Sendable {
        /// They go on: a program that starts a daemon and ends has done its work.
        case keep
        /// They are killed, before the ended process is collected, so that the group's number cannot be another's.
        case kill
    }

    /// What is kept of an output if nothing else is said: enough for any message, little enough for many programs.
    public static let defaultOutputLimit = 64 * 1024

    /// Describes a call that reads nothing and whose output is captured up to the default limit.
    public init(_ executable: String, _ arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
        environment = nil
        directory = nil
        identity = nil
        input = .nothing
        output = .capture(limit: Self.defaultOutputLimit)
        errors = .capture(limit: Self.defaultOutputLimit)
        passed = []
        newSession = false
        leftovers = .keep
    }

    /// Where programs are looked for: the system's directories, whatever this process's PATH says.
    public static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The path of a program of the system by its name; nil when there is none.
    public static func find(_ name: String) -> String? {
        for directory in searchPath.split(separator: ":") {
            let path = "\(directory)/\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        return nil
    }

    /// The environment of this process.
    public static func currentEnvironment() -> [String: String] {
        var result: [String: String] = [:]
        guard var entry = haven_environment() else { return result }
        while let raw = entry.pointee {
            let text = String(cString: raw)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }
}
