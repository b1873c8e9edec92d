public import CLinux
public import ClusterModel

/// A kernel socket address: IPv4, IPv6 or a Unix path.
public struct SocketAddress: Sendable {
    /// The raw structure.
    public private(set) var storage = sockaddr_storage()
    /// How many bytes of it count.
    public private(set) var length: socklen_t = 0

    /// An empty one for the kernel to fill.
    public init() { length = socklen_t(MemoryLayout<sockaddr_storage>.size) }

    /// An address and port; `scope` is the interface index that IPv6 link-local addresses need.
    public init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        switch address.family {
        case .v4:
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &raw.sin_addr) { $0.copyBytes(from: address.bytes) }
            store(raw)
        case .v6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            raw.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &raw.sin6_addr) { $0.copyBytes(from: address.bytes) }
            store(raw)
        }
    }

    /// The same for an endpoint.
    public init(_ endpoint: Endpoint) { self.init(endpoint.address, port: endpoint.port) }

    /// A Unix path; nil when it is longer than the 107 bytes that the kernel takes.
    public init?(unixPath path: String) {
        var raw = sockaddr_un()
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: raw.sun_path) else { return nil }
        raw.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &raw.sun_path) { $0.copyBytes(from: bytes) }
        store(raw)
    }

    private mutating func store<Raw>(_ raw: Raw) {
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: raw) { target.copyBytes(from: $0) }
        }
        length = socklen_t(MemoryLayout<Raw>.size)
    }

    /// The protocol family.
    public var family: Int32 { Int32(storage.ss_family) }

    /// The address and port, for IPv4 and IPv6 (an IPv4-mapped address comes back as IPv4).
    public var endpoint: (address: IPAddress, port: UInt16)? {
        withUnsafeBytes(of: storage) { raw in
            switch family {
            case AF_INET:
                let port = UInt16(raw[2]) << 8 | UInt16(raw[3])
                return IPAddress(bytes: Array(raw[4..<8])).map { ($0, port) }
            case AF_INET6:
                let port = UInt16(raw[2]) << 8 | UInt16(raw[3])
                let bytes = Array(raw[8..<24])
                let mapped = bytes[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
                return IPAddress(bytes: mapped ? Array(bytes[12...]) : bytes).map { ($0, port) }
            default: return nil
            }
        }
    }

    /// Where a socket is bound; nil for one that is not.
    public static func local(of number: Int32) -> SocketAddress? {
        var address = SocketAddress()
        let result = address.withMutableRaw { haven_getsockname(number, $0, $1) }
        return result < 0 ? nil : address
    }

    /// Runs a call that reads the address.
    public func withRaw<Result>(_ body: (UnsafeRawPointer, socklen_t) -> Result) -> Result {
        withUnsafeBytes(of: storage) { raw in
            guard let base = raw.baseAddress else { preconditionFailure("a stored structure has an address") }
            return body(base, length)
        }
    }

    /// Runs a call that fills the address.
    public mutating func withMutableRaw<Result>(
        _ body: (UnsafeMutableRawPointer, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        var filled = socklen_t(MemoryLayout<sockaddr_storage>.size)
        defer { length = filled }
        return withUnsafeMutableBytes(of: &storage) { raw in
            guard let base = raw.baseAddress else { preconditionFailure("a stored structure has an address") }
            return body(base, &filled)
        }
    }
}
