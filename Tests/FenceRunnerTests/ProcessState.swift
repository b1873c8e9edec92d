import LinuxIO

/// What the kernel says of a process.
enum ProcessState {
    case alive
    case dead

    init(of pid: Int32) {
        guard let file = try? Descriptor.open("/proc/\(pid)/stat", 0), let bytes = try? file.read(upTo: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")")), end + 2 < bytes.count
        else {
            self = .dead
            return
        }
        self = Array("ZX".utf8).contains(bytes[end + 2]) ? .dead : .alive
    }
}
