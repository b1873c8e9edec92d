internal import CLinux
internal import FoundationEssentials
internal import LinuxIO

/// Where a lab keeps what, and how its namespaces are called.
struct LabPaths: Sendable {
    let lab: String

    private var suffix: String { lab.isEmpty ? "" : ".\(lab)" }

    var root: String { "/run/haven-lab\(suffix)" }
    var lock: String { "/run/haven-lab\(suffix).lock" }
    var specification: String { "\(root)/lab.json" }
    /// Written last by `up`: what has no such file is the remains of a crash.
    var complete: String { "\(root)/complete" }
    var fenceAgents: String { "\(root)/fence-agents" }
    var partition: String { "\(root)/partition" }
    func machine(_ name: String) -> String { "\(root)/machines/\(name)" }
    func processFile(_ name: String) -> String { "\(machine(name))/pid" }
    func console(_ name: String) -> String { "\(machine(name))/console.log" }
    func cableOut(_ name: String) -> String { "\(machine(name))/cable-out" }
    /// Survives power cycles.
    func disk(_ name: String) -> String { "\(root)/disks/\(name)" }
    func controller(_ host: String) -> String { "\(root)/bmc/\(host)" }
    var powerService: String { "\(root)/pdu" }

    /// How a command of `haven lab` is told which lab; the usual one is not named.
    var option: [String] { lab.isEmpty ? [] : ["--lab=\(lab)"] }

    /// A namespace's name; a lab's own name ends with a dot there, which no host's name holds.
    func namespace(_ machine: String) -> String { "hvlab-\(lab.isEmpty ? "" : "\(lab).")\(machine)" }
    func namespacePath(_ machine: String) -> String { "/run/netns/\(namespace(machine))" }
    static let switchName = "switch"
    static let managementName = "mgmt"

    /// The names of all namespaces that this lab has now.
    func namespaces() -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        let prefix = namespace("")
        return all.filter { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains(".") }.sorted()
    }
}

/// Files of the lab: all of them are root's alone.
enum LabFiles {
    static func makeDirectory(_ path: String, mode: Int = 0o700) throws(LabError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: mode]
            )
        } catch {
            throw .failed("cannot make \(path): \(error)")
        }
    }

    static func write(_ path: String, _ text: String, mode: mode_t = 0o600) throws(LabError) {
        do throws(SystemError) {
            let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
            try file.writeAll(Array(text.utf8))
        } catch {
            throw .failed("\(error)")
        }
        // The mode given at opening went through the umask, and an older file kept its own.
        guard chmod(path, mode) == 0 else { throw .failed("cannot set the mode of \(path)") }
    }

    static func read(_ path: String) -> String? {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Removes a file or a tree; nothing happens when it is not there.
    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
