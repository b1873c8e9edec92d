internal import CLinux

/// A network interface.
public struct Link: Hashable, Sendable {
    /// The kernel's number of it.
    public var index: UInt32
    /// Its name, such as `eth0`.
    public var name: String
    /// `IFF_…` bits.
    public var flags: UInt32
    /// `ARPHRD_…`: 1 is Ethernet.
    public var hardwareType: UInt16
    /// Its hardware address; six bytes for Ethernet.
    public var hardwareAddress: [UInt8]
    /// The largest packet.
    public var mtu: UInt32

    /// Joins the parts.
    public init(
        index: UInt32,
        name: String,
        flags: UInt32,
        hardwareType: UInt16,
        hardwareAddress: [UInt8],
        mtu: UInt32
    ) {
        self.index = index
        self.name = name
        self.flags = flags
        self.hardwareType = hardwareType
        self.hardwareAddress = hardwareAddress
        self.mtu = mtu
    }

    /// Set up by the operator.
    public var isUp: Bool { flags & 0x1 != 0 }
    /// Has a carrier (IFF_LOWER_UP).
    public var hasCarrier: Bool { flags & 0x1_0000 != 0 }
    /// The loopback interface.
    public var isLoopback: Bool { flags & 0x8 != 0 }
    /// Carries Ethernet frames, so that ARP and neighbour announcements make sense.
    public var isEthernet: Bool { hardwareType == 1 && hardwareAddress.count == 6 && !isLoopback }

    /// Asks for all interfaces.
    static func listing(sequence: UInt32) -> NetlinkMessage {
        var message = NetlinkMessage(
            type: UInt16(RTM_GETLINK),
            flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP),
            sequence: sequence
        )
        message.appendInterfaceHeader()
        return message
    }

    /// Reads the body of RTM_NEWLINK or RTM_DELLINK.
    init?(parsing body: ArraySlice<UInt8>) {
        var reader = NativeReader(body)
        guard reader.read(UInt16.self) != nil, let type = reader.read(UInt16.self),
            let index = reader.read(Int32.self), let flags = reader.read(UInt32.self),
            reader.read(UInt32.self) != nil, index > 0
        else { return nil }
        self.init(
            index: UInt32(index),
            name: "",
            flags: flags,
            hardwareType: type,
            hardwareAddress: [],
            mtu: 0
        )
        while let attribute = reader.nextAttribute() {
            switch attribute.type {
            case Int(IFLA_IFNAME): name = String(decoding: attribute.value.prefix { $0 != 0 }, as: UTF8.self)
            case Int(IFLA_ADDRESS): hardwareAddress = Array(attribute.value)
            case Int(IFLA_MTU):
                var value = NativeReader(attribute.value)
                mtu = value.read() ?? 0
            default: break
            }
        }
        guard !name.isEmpty else { return nil }
    }
}

extension NetlinkMessage {
    /// An `ifinfomsg` of zeros: any family, any interface.
    fileprivate mutating func appendInterfaceHeader() {
        append(UInt16(0))
        append(UInt16(0))
        append(UInt32(0))
        append(UInt32(0))
        append(UInt32(0))
    }
}
