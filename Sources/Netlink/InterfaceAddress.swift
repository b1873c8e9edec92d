internal import CLinux
public import ClusterModel

/// An address on an interface.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public var address: IPAddress
    /// Its prefix length: 0 to 32 or 128.
    public var prefix: UInt8
    /// The index of its interface.
    public var link: UInt32

    /// Joins the parts.
    public init(_ address: IPAddress, prefix: UInt8, link: UInt32) {
        self.address = address
        self.prefix = prefix
        self.link = link
    }

    /// The text form.
    public var description: String { "\(address)/\(prefix)" }

    private var family: UInt8 { UInt8(address.family == .v4 ? AF_INET : AF_INET6) }

    /// Asks for all addresses of both families.
    static func listing(sequence: UInt32) -> NetlinkMessage {
        var message = NetlinkMessage(
            type: UInt16(RTM_GETADDR),
            flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP),
            sequence: sequence
        )
        message.appendAddressHeader(family: 0, prefix: 0, flags: 0, scope: 0, link: 0)
        return message
    }

    /// Adds the address; EEXIST when it is there.
    ///
    /// IPv6 skips duplicate address detection, which would keep the address unusable for a second: the cluster, not the
    /// link, says who owns it.
    func adding(sequence: UInt32) -> NetlinkMessage {
        var message = NetlinkMessage(
            type: UInt16(RTM_NEWADDR),
            flags: UInt16(NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL),
            sequence: sequence
        )
        let withoutDetection = address.family == .v6 ? UInt8(IFA_F_NODAD) : 0
        message.appendAddressHeader(family: family, prefix: prefix, flags: withoutDetection, scope: scope, link: link)
        message.appendAttribute(Int(IFA_LOCAL), address.bytes)
        message.appendAttribute(Int(IFA_ADDRESS), address.bytes)
        if let broadcast { message.appendAttribute(Int(IFA_BROADCAST), broadcast) }
        return message
    }

    /// Removes the address; EADDRNOTAVAIL when it is not there.
    func removing(sequence: UInt32) -> NetlinkMessage {
        var message = NetlinkMessage(
            type: UInt16(RTM_DELADDR),
            flags: UInt16(NLM_F_REQUEST | NLM_F_ACK),
            sequence: sequence
        )
        message.appendAddressHeader(family: family, prefix: prefix, flags: 0, scope: 0, link: link)
        message.appendAttribute(Int(IFA_LOCAL), address.bytes)
        message.appendAttribute(Int(IFA_ADDRESS), address.bytes)
        return message
    }

    /// Reads the body of RTM_NEWADDR or RTM_DELADDR.
    init?(parsing body: ArraySlice<UInt8>) {
        var reader = NativeReader(body)
        guard let family = reader.read(UInt8.self), let prefix = reader.read(UInt8.self),
            reader.read(UInt8.self) != nil, reader.read(UInt8.self) != nil, let link = reader.read(UInt32.self),
            [UInt8(AF_INET), UInt8(AF_INET6)].contains(family)
        else { return nil }
        var local: ArraySlice<UInt8>?
        var peer: ArraySlice<UInt8>?
        while let attribute = reader.nextAttribute() {
            switch attribute.type {
            case Int(IFA_LOCAL): local = attribute.value
            case Int(IFA_ADDRESS): peer = attribute.value
            default: break
            }
        }
        // On point-to-point links IFA_ADDRESS is the other end; IPv6 mostly sends no IFA_LOCAL.
        guard let bytes = local ?? peer, let address = IPAddress(bytes: Array(bytes)),
            (address.family == .v4) == (family == UInt8(AF_INET)), Int(prefix) <= address.bits
        else { return nil }
        self.init(address, prefix: prefix, link: link)
    }

    /// RT_SCOPE_LINK for link-local IPv4, else universe; the kernel finds the scope of IPv6 itself.
    private var scope: UInt8 {
        address.family == .v4 && address.bytes.starts(with: [169, 254]) ? UInt8(RT_SCOPE_LINK.rawValue) : 0
    }

    /// The last address of an IPv4 subnet; none on point-to-point prefixes.
    private var broadcast: [UInt8]? {
        guard address.family == .v4, prefix < 31 else { return nil }
        let word = address.bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } | UInt32.max >> UInt32(prefix)
        return (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
    }
}

extension NetlinkMessage {
    /// An `ifaddrmsg`.
    fileprivate mutating func appendAddressHeader(
        family: UInt8,
        prefix: UInt8,
        flags: UInt8,
        scope: UInt8,
        link: UInt32
    ) {
        append(family)
        append(prefix)
        append(flags)
        append(scope)
        append(link)
    }
}
