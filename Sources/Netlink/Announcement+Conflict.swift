import ClusterModel

/// Looking for others that answer for an address (RFC 5227).
extension Announcement {
    /// A question whose sender names no address of its own, so that it changes nobody's tables (RFC 5227 §2.1.1).
    static func question(about address: IPAddress, hardwareAddress: [UInt8]) -> Frame {
        var bytes = [UInt8](repeating: 0xFF, count: 6) + hardwareAddress + [0x08, 0x06]
        bytes += [0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 1]
        bytes += hardwareAddress + [0, 0, 0, 0] + [0, 0, 0, 0, 0, 0] + address.bytes
        return Frame(bytes: bytes + [UInt8](repeating: 0, count: max(0, 60 - bytes.count)))
    }

    /// Who claims which address in an ARP reply, gratuitous or not; nil for any other frame.
    static func claim(in frame: ArraySlice<UInt8>) -> (address: IPAddress, hardwareAddress: [UInt8])? {
        let frame = Array(frame)
        guard frame.count >= 42, frame[12...13].elementsEqual([0x08, 0x06]),
            frame[14...21].elementsEqual([0, 1, 8, 0, 6, 4, 0, 2]),
            let address = IPAddress(bytes: Array(frame[28..<32]))
        else { return nil }
        return (address, Array(frame[22..<28]))
    }
}
