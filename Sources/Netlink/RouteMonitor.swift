internal import CLinux
public import LinuxIO

/// Tells an event loop what changes on links and addresses, by whomever.
public struct RouteMonitor: ~Copyable, Sendable {
    /// Register it for reading.
    public let descriptor: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    /// The most receives in one call, so that a storm of changes cannot hold the loop.
    private static let receivesPerCall = 16

    /// One change.
    public enum Change: Hashable, Sendable {
        /// A link came or changed its state.
        case link(Link)
        /// A link went.
        case linkGone(Link)
        /// An address came or changed.
        case address(InterfaceAddress)
        /// An address went.
        case addressGone(InterfaceAddress)
        /// The kernel dropped messages: list everything again.
        case overrun
    }

    /// Begins listening in the calling thread's network namespace.
    public init() throws(SystemError) {
        descriptor = try RouteSocket.open(
            groups: UInt32(RTMGRP_LINK) | UInt32(RTMGRP_IPV4_IFADDR) | UInt32(RTMGRP_IPV6_IFADDR)
        )
    }

    /// What changed since the last call.
    public mutating func changes() -> [Change] {
        var changes: [Change] = []
        let number = descriptor.number
        for _ in 0..<Self.receivesPerCall {
            let count = buffer.withUnsafeMutableBytes { haven_recv(number, $0.baseAddress, $0.count, 0) }
            if count == -Int(EINTR) { continue }
            if count == -Int(ENOBUFS) {
                changes.append(.overrun)
                continue
            }
            guard count >= 0 else { break }
            changes += NetlinkAnswer.split(buffer[..<count]).compactMap(Self.change)
        }
        return changes
    }

    private static func change(_ answer: NetlinkAnswer) -> Change? {
        switch Int(answer.type) {
        case Int(RTM_NEWLINK): Link(parsing: answer.body).map { .link($0) }
        case Int(RTM_DELLINK): Link(parsing: answer.body).map { .linkGone($0) }
        case Int(RTM_NEWADDR): InterfaceAddress(parsing: answer.body).map { .address($0) }
        case Int(RTM_DELADDR): InterfaceAddress(parsing: answer.body).map { .addressGone($0) }
        default: nil
        }
    }
}
