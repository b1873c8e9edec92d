internal import CLinux
public import ClusterModel
import Synchronization

/// The node's lease as one word in a page that the agent writes and the data plane reads.
///
/// The word is the end of the lease in nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share; 0 means
/// "no lease". The page is a file in a directory that does not survive a reboot, so that a restarted agent finds what
/// its predecessor granted.
public final class LeaseWord: Sendable {
    // SAFETY: points to a mapped page that lives until deinit; its words are only read and written atomically.
    private nonisolated(unsafe) let page: UnsafeMutablePointer<Atomic<Int64>>

    private static let size = 4096

    private init(page: UnsafeMutablePointer<Atomic<Int64>>) {
        self.page = page
    }

    deinit { haven_unmap(page, Self.size) }

    /// Maps the file for writing; makes it (mode 0644) with "no lease" if it is not there.
    public static func create(path: String) throws(SystemError) -> LeaseWord {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o644)
        let number = file.number
        try SystemError.check("ftruncate", path) { haven_ftruncate(number, off_t(size)) }
        return try map(number, path: path, writable: true)
    }

    /// Maps an existing file for reading.
    public static func open(path: String) throws(SystemError) -> LeaseWord {
        let file = try Descriptor.open(path, O_RDONLY)
        return try map(file.number, path: path, writable: false)
    }

    private static func map(_ number: Int32, path: String, writable: Bool) throws(SystemError) -> LeaseWord {
        guard let address = haven_map_shared(number, size, writable ? 1 : 0) else {
            throw SystemError(call: "mmap", subject: path, code: haven_errno())
        }
        return LeaseWord(page: address.bindMemory(to: Atomic<Int64>.self, capacity: 2))
    }

    /// The end of the lease, or nil for none; only a process that mapped for writing may set it.
    public var end: Instant? {
        get {
            let value = page.pointee.load(ordering: .acquiring)
            return value == 0 ? nil : Instant(nanoseconds: value)
        }
        set { page.pointee.store(newValue?.nanoseconds ?? 0, ordering: .releasing) }
    }

    /// When the agent last went through its loop: one that has not for long hangs.
    ///
    /// Only a process that mapped for writing may set it.
    public var lastPass: Instant {
        get { Instant(nanoseconds: page[1].load(ordering: .acquiring)) }
        set { page[1].store(newValue.nanoseconds, ordering: .releasing) }
    }
}
