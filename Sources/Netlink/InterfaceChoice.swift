public import ClusterModel

/// Where a virtual IP goes on this machine.
public enum InterfaceChoice {
    /// Why there is no place for it.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The operator named an interface that is not here.
        case noSuchInterface(String)
        /// No interface has an address whose subnet contains the virtual IP.
        case noSubnet(IPAddress)
        /// The prefix length is longer than the address.
        case invalidPrefix(Int)

        /// The text form.
        public var description: String {
            switch self {
            case .noSuchInterface(let name): "there is no network interface \"\(name)\" on this node"
            case .noSubnet(let address):
                "no network interface of this node has an address in the subnet of \(address): set nic=NAME"
            case .invalidPrefix(let prefix): "cidr_netmask \(prefix) is longer than the address"
            }
        }
    }

    /// Finds the interface and prefix length of a virtual IP.
    ///
    /// A named interface is taken as it is. Otherwise the one with an address whose subnet contains the virtual IP:
    /// first by equal prefix length if one is asked for, then by the longest one, then by lowest index. Loopback and
    /// links that are down do not count. An address equal to the virtual IP says nothing about the subnet that it
    /// should have.
    ///
    /// - Parameters:
    ///   - address: The virtual IP.
    ///   - prefix: What the operator asked for; nil takes that of the subnet.
    ///   - name: The interface that the operator asked for.
    ///   - links: All interfaces.
    ///   - addresses: All addresses.
    /// - Returns: The link, and the address as it is to be added to it.
    /// - Throws: Why there is no place.
    public static func find(
        _ address: IPAddress,
        prefix: Int? = nil,
        named name: String? = nil,
        links: [Link],
        addresses: [InterfaceAddress]
    ) throws(Failure) -> (link: Link, address: InterfaceAddress) {
        if let prefix, !(0...address.bits).contains(prefix) { throw .invalidPrefix(prefix) }
        var eligible = links.filter { !$0.isLoopback && $0.isUp }
        if let name {
            eligible = links.filter { $0.name == name }
            if eligible.isEmpty { throw .noSuchInterface(name) }
        }
        var best: (link: Link, prefix: UInt8)?
        for candidate in addresses where candidate.address != address {
            guard candidate.address.shares(prefix: Int(candidate.prefix), with: address),
                let link = eligible.first(where: { $0.index == candidate.link })
            else { continue }
            let found = (link, candidate.prefix)
            if let known = best, !isBetter(found, than: known, wanted: prefix) { continue }
            best = found
        }
        if best == nil, name != nil, let link = eligible.first { best = (link, UInt8(address.bits)) }
        guard let best else { throw .noSubnet(address) }
        let length = prefix.map { UInt8($0) } ?? best.prefix
        return (best.link, InterfaceAddress(address, prefix: length, link: best.link.index))
    }

    private static func isBetter(
        _ one: (link: Link, prefix: UInt8),
        than other: (link: Link, prefix: UInt8),
        wanted: Int?
    ) -> Bool {
        let oneMatches = Int(one.prefix) == wanted
        let otherMatches = Int(other.prefix) == wanted
        if oneMatches != otherMatches { return oneMatches }
        return one.prefix != other.prefix ? one.prefix > other.prefix : one.link.index < other.link.index
    }
}
