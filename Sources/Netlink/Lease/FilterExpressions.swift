internal import ClusterModel

/// The conditions of one rule, in the numbers of `linux/netfilter/nf_tables.h`; everything passes through one register.
struct FilterExpressions {
    private(set) var list = FilterAttributes()

    /// NFT_REG_1, 16 bytes wide.
    private static let register: UInt32 = 1

    private mutating func add(_ name: String, _ fill: (inout FilterAttributes) -> Void) {
        list.nested(1) { element in
            element.text(1, name)
            element.nested(2, fill)
        }
    }

    /// Loads bytes of the network header.
    mutating func loadNetwork(offset: Int, length: Int) { load(base: 1, offset: offset, length: length) }

    private mutating func load(base: UInt32, offset: Int, length: Int) {
        add("payload") { payload in
            payload.number(1, Self.register)
            payload.number(2, base)
            payload.number(3, UInt32(offset))
            payload.number(4, UInt32(length))
        }
    }

    /// Goes on if the register's address is virtual and not held.
    mutating func isVirtual(_ virtual: LeaseTables.Set, butNot held: LeaseTables.Set) {
        lookUp(virtual, inverted: false)
        lookUp(held, inverted: true)
    }

    private mutating func lookUp(_ set: LeaseTables.Set, inverted: Bool) {
        add("lookup") { lookup in
            lookup.text(1, set.name)
            lookup.number(2, Self.register)
            if inverted { lookup.number(5, UInt32(1)) }
        }
    }

    /// Goes on if the packet is of this family (`meta nfproto`).
    mutating func isProtocol(_ family: IPAddress.Family) {
        loadMeta(15)
        isEqual([family == .v4 ? 2 : 10])
    }

    /// Goes on if this is a neighbour advertisement, with its target in the register (RFC 4861 §4.4).
    mutating func isNeighbourAdvertisement() {
        loadMeta(16)
        isEqual([58])
        load(base: 2, offset: 0, length: 1)
        isEqual([136])
        load(base: 2, offset: 8, length: 16)
    }

    /// Goes on if source or destination is an address of this node's own (`fib … type local`).
    mutating func isLocal(source: Bool) {
        add("fib") { fib in
            fib.number(1, Self.register)
            fib.number(2, UInt32(3))
            fib.number(3, UInt32(source ? 1 : 2))
        }
        // RTN_LOCAL, in the machine's order as the kernel stores it.
        isEqual(withUnsafeBytes(of: UInt32(2)) { Array($0) })
    }

    /// Drops what has come this far.
    mutating func drop() {
        add("immediate") { immediate in
            immediate.number(1, UInt32(0))
            immediate.nested(2) { data in data.nested(2) { $0.number(1, UInt32(0)) } }
        }
    }

    private mutating func loadMeta(_ key: UInt32) {
        add("meta") { meta in
            meta.number(1, Self.register)
            meta.number(2, key)
        }
    }

    private mutating func isEqual(_ value: [UInt8]) {
        add("cmp") { comparison in
            comparison.number(1, Self.register)
            comparison.number(2, UInt32(0))
            comparison.nested(3) { $0.data(1, value) }
        }
    }
}
