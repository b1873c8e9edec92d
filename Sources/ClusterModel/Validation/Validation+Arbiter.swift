/// The property `arbiter`: addresses that answer a node only while the node reaches something outside of the cluster.
extension ClusterConfiguration {
    func validateArbiter(_ findings: inout Findings, _ place: ConfigurationPlace) {
        guard let addresses = properties.arbiter else { return }
        if addresses.isEmpty {
            findings.add(place, "arbiter names no address", remedy: "give one, or leave the property out")
        }
        let limit = ConfigurationLimits.arbiterAddresses
        if addresses.count > limit {
            findings.add(place, "arbiter lists \(addresses.count) addresses, more than the limit of \(limit)")
        }
        let virtual = virtualAddresses
        var seen = Set<IPAddress>()
        for address in addresses {
            if !seen.insert(address).inserted { findings.add(place, "arbiter \(address) is listed twice") }
            if let role = address.unusableRole ?? address.roleWithoutAnswer {
                findings.add(place, "arbiter \(address) is \(role)", remedy: Self.arbiterRemedy)
            } else if let node = nodes.first(where: { $0.addresses.contains(address) }) {
                findings.add(
                    place,
                    "arbiter \(address) is an address of node \"\(node.name)\", which proves nothing about a way out",
                    remedy: Self.arbiterRemedy
                )
            } else if virtual.contains(address) {
                findings.add(
                    place,
                    "arbiter \(address) is a virtual IP of this cluster, which answers whoever holds it",
                    remedy: Self.arbiterRemedy
                )
            }
        }
    }

    private static let arbiterRemedy = "give the address of another machine, such as the default gateway"

    /// Why the property `arbiter` has no effect, as a clause; nil where it has, or is not set.
    ///
    /// It may be set all the same: an operator who sets up a pair does not have to think about the order, and a witness
    /// that is added and removed again does not take the arbiter with it.
    public var arbiterIdleness: String? {
        guard properties.arbiter != nil, !isPairWithoutFencing else { return nil }
        if voters.count != 2 {
            return "\(voters.count) node\(voters.count == 1 ? " votes" : "s vote"), "
                + "and only of two with stonith-enabled=false does one go on alone"
        }
        return "stonith-enabled=true: a node goes on alone once the other is powered off, whatever an arbiter answers"
    }
}

extension IPAddress {
    /// What keeps an address from answering an echo request as a machine outside of the cluster; nil when nothing does.
    fileprivate var roleWithoutAnswer: String? {
        switch family {
        case .v4: return bytes[0] == 127 ? "a loopback address, which always answers" : nil
        case .v6:
            if bytes.dropLast().allSatisfy({ $0 == 0 }), bytes[15] == 1 {
                return "a loopback address, which always answers"
            }
            if bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 {
                return "a link-local address, which means nothing without an interface"
            }
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            return isMapped ? "an IPv4 address in the form of an IPv6 address" : nil
        }
    }
}
