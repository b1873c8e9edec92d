import Glibc

/// A system call that failed on the agent's socket.
struct SocketFailure: Error, Hashable {
    /// The error's number.
    var errno: Int32
    /// What was tried.
    var operation: String

    /// `bind: Permission denied`.
    var text: String { "\(operation): \(String(cString: strerror(errno)))" }
}

/// The system calls on the agent's socket, in one place.
///
/// Glibc rather than the C shims: those are built with other feature macros than the Glibc module, and a file that needs
/// Foundation too cannot import both.
enum UnixSocket {
    /// Throws unless the result of a call is one.
    @discardableResult
    static func check(_ result: Int32, _ operation: String) throws(SocketFailure) -> Int32 {
        if result < 0 { throw SocketFailure(errno: errno, operation: operation) }
        return result
    }

    /// A new socket, connected to `path`.
    static func connected(to path: String) throws(SocketFailure) -> Int32 {
        let descriptor = try check(socket(AF_UNIX, kind, 0), "socket")
        do {
            try withAddress(path) { address, length in connect(descriptor, address, length) }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A new non-blocking socket that listens at `path`, for root and the group alone.
    static func listening(at path: String, group: gid_t?) throws(SocketFailure) -> Int32 {
        let descriptor = try check(socket(AF_UNIX, kind | Int32(SOCK_NONBLOCK.rawValue), 0), "socket")
        do {
            try withAddress(path) { address, length in bind(descriptor, address, length) }
            if let group { try check(chown(path, 0, group), "chown \(path)") }
            try check(chmod(path, 0o660), "chmod \(path)")
            try check(listen(descriptor, 64), "listen")
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static var kind: Int32 { Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) }

    /// The next connection, kept from child processes; nil when there is none now.
    static func accept(from listener: Int32) throws(SocketFailure) -> Int32? {
        let descriptor = Glibc.accept(listener, nil, nil)
        if descriptor < 0, errno == EAGAIN || errno == ECONNABORTED || errno == EINTR { return nil }
        try check(descriptor, "accept")
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    /// Makes the socket's directory with the rights that guard it; one that is there gets those rights too.
    static func prepareDirectory(_ path: String, group: gid_t?) throws(SocketFailure) {
        if mkdir(path, 0o750) != 0, errno != EEXIST { throw SocketFailure(errno: errno, operation: "mkdir \(path)") }
        if let group { try check(chown(path, 0, group), "chown \(path)") }
        try check(chmod(path, 0o750), "chmod \(path)")
    }

    /// The number of a group; nil when there is none of that name.
    static func group(named name: String) -> gid_t? {
        getgrnam(name).map { $0.pointee.gr_gid }
    }

    /// The user at the other end: the second word of `struct ucred`, which this module's Glibc does not declare.
    static func peer(of descriptor: Int32) throws(SocketFailure) -> UInt32 {
        var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        try check(getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length), "SO_PEERCRED")
        return credentials.uid
    }

    /// Sends without SIGPIPE; the count, or -1 with `errno` set.
    static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int {
        bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Reads into `buffer`; the count, 0 at the end, or -1 with `errno` set.
    static func receive(into buffer: inout [UInt8], from descriptor: Int32) -> Int {
        buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Gives every later read and write on the socket a limit of its own.
    static func setTimeout(_ descriptor: Int32, seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    private static func withAddress(
        _ path: String,
        _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SocketFailure) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.contains(0) else {
            throw SocketFailure(errno: ENAMETOOLONG, operation: path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, length) }
        }
        try check(result, path)
    }
}
