public import CLinux
public import ClusterModel

/// A UDP socket.
public struct DatagramSocket: ~Copyable, Sendable {
    /// For registering.
    public let descriptor: Descriptor

    /// The largest datagram that is received whole; longer ones are cut by the kernel and fail their checks.
    public static let largest = 65_536

    /// Binds to a local address, non-blocking.
    ///
    /// - Parameters:
    ///   - address: A local address.
    ///   - port: 0 lets the kernel choose.
    ///   - shared: Several sockets of this process bind the same port; a connected one gets its peer's datagrams, an
    ///     unconnected one the rest.
    ///   - isLink: It may be bound before its address is on this machine, and sends every datagram whole or not at all,
    ///     whatever the kernel has heard of the path, so that what is probed is the path itself.
    ///   - receiveBuffer: Bytes asked of the kernel, which may give less.
    /// - Throws: What the kernel refused.
    public init(
        binding address: IPAddress,
        port: UInt16,
        shared: Bool = false,
        isLink: Bool = false,
        receiveBuffer: Int = 1 << 20
    ) throws(SystemError) {
        let local = SocketAddress(address, port: port)
        let number = Int32(
            try SystemError.check("socket") {
                haven_socket(local.family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            }
        )
        let socket = Descriptor(owning: number)
        _ = haven_setsockopt_int(number, SOL_SOCKET, SO_RCVBUF, Int32(receiveBuffer))
        if shared { _ = haven_setsockopt_int(number, SOL_SOCKET, SO_REUSEADDR, 1) }
        if address.family == .v6 { _ = haven_setsockopt_int(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        if isLink { Self.beLink(number, address.family) }
        try SystemError.check("bind", "UDP \(address) port \(port)") { local.withRaw { haven_bind(number, $0, $1) } }
        descriptor = socket
    }

    private static func beLink(_ number: Int32, _ family: IPAddress.Family) {
        _ = haven_setsockopt_int(number, Int32(IPPROTO_IP), IP_FREEBIND, 1)
        switch family {
        case .v4: _ = haven_setsockopt_int(number, Int32(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        case .v6: _ = haven_setsockopt_int(number, Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
        }
    }

    /// Ties the socket to one peer: the kernel drops what others send.
    public func connect(to address: IPAddress, port: UInt16) throws(SystemError) {
        let peer = SocketAddress(address, port: port)
        let number = descriptor.number
        try SystemError.check("connect", "UDP \(address) port \(port)") {
            peer.withRaw { haven_connect(number, $0, $1) }
        }
    }

    /// Sends one datagram; false when the kernel has no room or no route now (a datagram may be lost anyway).
    @discardableResult
    public func send(_ bytes: [UInt8], to peer: SocketAddress) -> Bool {
        bytes.withUnsafeBytes { buffer in
            peer.withRaw { haven_sendto(descriptor.number, buffer.baseAddress, buffer.count, $0, $1) } >= 0
        }
    }

    /// Sends one datagram to the peer that the socket is connected to; false as with `send(_:to:)`.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { haven_send(descriptor.number, $0.baseAddress, $0.count, 0) } >= 0
    }

    /// Receives one datagram into a reused buffer of `largest` bytes; nil when none waits.
    public func receive(into buffer: inout [UInt8]) -> (count: Int, from: SocketAddress)? {
        var peer = SocketAddress()
        let number = descriptor.number
        while true {
            let count = buffer.withUnsafeMutableBytes { raw in
                peer.withMutableRaw { haven_recvfrom(number, raw.baseAddress, raw.count, 0, $0, $1) }
            }
            if count >= 0 { return (count, peer) }
            // ECONNREFUSED reports an earlier send to a closed port; the next datagram may already wait behind it.
            if count == -Int(EINTR) || count == -Int(ECONNREFUSED) { continue }
            return nil
        }
    }
}

/// Listening and connected stream sockets.
public enum StreamSocket {
    /// What a listening socket shall be.
    public struct ListenOptions: Sendable {
        /// Binds although the address is not on this machine yet (a virtual IP of a passive node).
        public var freeBind = false
        /// Several sockets share the port; the kernel spreads connections over them.
        public var reusePort = false
        /// Connections that wait for `accept`.
        public var backlog: Int32 = 4096

        /// Plain.
        public init() {}
    }

    /// Opens a listening TCP socket, non-blocking.
    public static func listen(on endpoint: Endpoint, _ options: ListenOptions) throws(SystemError) -> Descriptor {
        let local = SocketAddress(endpoint)
        let number = Int32(
            try SystemError.check("socket") {
                haven_socket(local.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            }
        )
        let socket = Descriptor(owning: number)
        _ = haven_setsockopt_int(number, SOL_SOCKET, SO_REUSEADDR, 1)
        if options.reusePort { _ = haven_setsockopt_int(number, SOL_SOCKET, SO_REUSEPORT, 1) }
        if endpoint.address.family == .v6 {
            _ = haven_setsockopt_int(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
        }
        if options.freeBind {
            // IP_FREEBIND works for both families.
            try SystemError.check("setsockopt IP_FREEBIND") {
                haven_setsockopt_int(number, Int32(IPPROTO_IP), IP_FREEBIND, 1)
            }
        }
        try SystemError.check("bind", "TCP \(endpoint)") { local.withRaw { haven_bind(number, $0, $1) } }
        try SystemError.check("listen", "TCP \(endpoint)") { haven_listen(number, options.backlog) }
        return socket
    }

    /// Starts connecting, non-blocking; ready for writing when it ended, then `error(of:)` says how.
    public static func connect(to endpoint: Endpoint) throws(SystemError) -> Descriptor {
        let peer = SocketAddress(endpoint)
        let number = Int32(
            try SystemError.check("socket") {
                haven_socket(peer.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            }
        )
        let socket = Descriptor(owning: number)
        let result = peer.withRaw { haven_connect(number, $0, $1) }
        if result < 0, result != -Int(EINPROGRESS) {
            throw SystemError(call: "connect", subject: "TCP \(endpoint)", code: Int32(-result))
        }
        return socket
    }

    /// The pending error of a socket, 0 for none.
    public static func error(of number: Int32) -> Int32 {
        let code = haven_getsockopt_int(number, SOL_SOCKET, SO_ERROR)
        return code < 0 ? Int32(-code) : Int32(code)
    }

    /// Opens a listening Unix socket of the given type; an old socket file at the path is replaced.
    public static func listenUnix(
        path: String,
        type: __socket_type = SOCK_STREAM,
        mode: mode_t
    ) throws(SystemError) -> Descriptor {
        guard let local = SocketAddress(unixPath: path) else {
            throw SystemError(call: "bind", subject: path, code: ENAMETOOLONG)
        }
        let number = Int32(
            try SystemError.check("socket") {
                haven_socket(AF_UNIX, Int32(type.rawValue | SOCK_NONBLOCK.rawValue), 0)
            }
        )
        let socket = Descriptor(owning: number)
        unlink(path)
        let before = umask(0o177)
        defer { umask(before) }
        try SystemError.check("bind", path) { local.withRaw { haven_bind(number, $0, $1) } }
        try SystemError.check("chmod", path) { chmod(path, mode) == 0 ? 0 : -Int(haven_errno()) }
        try SystemError.check("listen", path) { haven_listen(number, 64) }
        return socket
    }

    /// Connects to a Unix socket, blocking.
    public static func connectUnix(
        path: String,
        type: __socket_type = SOCK_STREAM
    ) throws(SystemError) -> Descriptor {
        guard let peer = SocketAddress(unixPath: path) else {
            throw SystemError(call: "connect", subject: path, code: ENAMETOOLONG)
        }
        let number = Int32(try SystemError.check("socket") { haven_socket(AF_UNIX, Int32(type.rawValue), 0) })
        let socket = Descriptor(owning: number)
        try SystemError.check("connect", path) { peer.withRaw { haven_connect(number, $0, $1) } }
        return socket
    }

    /// Takes a waiting connection, non-blocking; nil when none waits.
    public static func accept(from listener: Int32) throws(SystemError) -> (socket: Int32, peer: SocketAddress)? {
        var peer = SocketAddress()
        let result = peer.withMutableRaw { haven_accept(listener, $0, $1) }
        switch -result {
        case _ where result >= 0: return (Int32(result), peer)
        // The connection is gone again, or none waits.
        case Int(EAGAIN), Int(ECONNABORTED), Int(EINTR): return nil
        default: throw SystemError(call: "accept", code: Int32(-result))
        }
    }
}
