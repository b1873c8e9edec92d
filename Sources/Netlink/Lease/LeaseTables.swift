internal import ClusterModel

/// The tables that make a virtual IP silent on a node without a lease for it, as messages.
///
/// In words of `nft`, for both families alike:
///
///     table arp haven {
///         set virtual { type ipv4_addr; }
///         set held { type ipv4_addr; flags timeout; }
///         chain leaving { type filter hook output priority 310;
///             arp saddr ip @virtual arp saddr ip != @held drop } }
///     table inet haven {
///         set virtual4 … virtual6 … held4 … held6 …
///         set pulse { type ipv4_addr; flags timeout; }
///         chain arriving { type filter hook prerouting priority -310;
///             ip daddr @virtual4 ip daddr != @held4 fib daddr type local drop
///             ip6 daddr @virtual6 ip6 daddr != @held6 fib daddr type local drop }
///         chain leaving { type filter hook postrouting priority 310;
///             ip saddr @virtual4 ip saddr != @held4 fib saddr type local drop
///             ip6 saddr @virtual6 ip6 saddr != @held6 fib saddr type local drop
///             icmpv6 type nd-neighbor-advert icmpv6 taddr @virtual6 icmpv6 taddr != @held6 drop } }
///
/// Arriving packets are looked at before connection tracking and address translation, leaving ones after it: an
/// established connection has no way around, nor has one that is forwarded into a container. `type local` lets a node
/// that only forwards for an address of another node do so. ARP is not filtered on its way in, so that every node
/// learns of a new owner.
enum LeaseTables {
    static let name = "haven"
    /// The most addresses of a family, so that a batch fits into one message to the kernel.
    static let mostAddresses = 1024

    /// A set of a table.
    struct Set {
        let name: String
        let table: FilterBatch.Family
        let keyType: UInt32
        let keyLength: Int
        let expires: Bool
    }

    private static func set(
        _ name: String,
        _ table: FilterBatch.Family,
        _ family: IPAddress.Family,
        expires: Bool
    ) -> Set {
        let (type, length): (UInt32, Int) = family == .v4 ? (7, 4) : (8, 16)
        return Set(name: name, table: table, keyType: type, keyLength: length, expires: expires)
    }

    static let arpVirtual = set("virtual", .arp, .v4, expires: false)
    static let arpHeld = set("held", .arp, .v4, expires: true)
    static let virtual4 = set("virtual4", .inet, .v4, expires: false)
    static let virtual6 = set("virtual6", .inet, .v6, expires: false)
    static let held4 = set("held4", .inet, .v4, expires: true)
    static let held6 = set("held6", .inet, .v6, expires: true)
    /// See `AddressLease.renew`.
    static let pulse = set("pulse", .inet, .v4, expires: true)

    private static let all = [arpVirtual, arpHeld, virtual4, virtual6, held4, held6, pulse]
    static let virtual: [(set: Set, family: IPAddress.Family)] = [(arpVirtual, .v4), (virtual4, .v4), (virtual6, .v6)]
    static let held: [(set: Set, family: IPAddress.Family)] = [(arpHeld, .v4), (held4, .v4), (held6, .v6)]

    /// Makes whatever is missing of both tables and lets nothing be held; what was virtual stays so.
    static func prepare(in batch: inout FilterBatch) {
        for family in FilterBatch.Family.allCases { make(family, in: &batch) }
        for set in all { add(set, &batch) }
        addChain("leaving", .arp, hook: 1, priority: 310, &batch)
        addChain("arriving", .inet, hook: 0, priority: -310, &batch)
        addChain("leaving", .inet, hook: 4, priority: 310, &batch)
        for family in FilterBatch.Family.allCases { batch.add(.deleteRules, family) { $0.text(1, name) } }
        addRule("leaving", .arp, &batch) { rule in
            rule.loadNetwork(offset: 14, length: 4)
            rule.isVirtual(arpVirtual, butNot: arpHeld)
        }
        for (chain, offset4, offset6, source) in [("arriving", 16, 24, false), ("leaving", 12, 8, true)] {
            addRule(chain, .inet, &batch) { rule in
                rule.isProtocol(.v4)
                rule.loadNetwork(offset: offset4, length: 4)
                rule.isVirtual(virtual4, butNot: held4)
                rule.isLocal(source: source)
            }
            addRule(chain, .inet, &batch) { rule in
                rule.isProtocol(.v6)
                rule.loadNetwork(offset: offset6, length: 16)
                rule.isVirtual(virtual6, butNot: held6)
                rule.isLocal(source: source)
            }
        }
        addRule("leaving", .inet, &batch) { rule in
            rule.isProtocol(.v6)
            rule.isNeighbourAdvertisement()
            rule.isVirtual(virtual6, butNot: held6)
        }
        for (set, _) in held { clear(set, in: &batch) }
    }

    /// Makes a table that is not there.
    static func make(_ family: FilterBatch.Family, in batch: inout FilterBatch) {
        batch.add(.newTable, family) { $0.text(1, name) }
    }

    /// Removes a table and all that is in it; refused when it is not there.
    static func remove(_ family: FilterBatch.Family, in batch: inout FilterBatch) {
        batch.add(.deleteTable, family) { $0.text(1, name) }
    }

    /// Empties a set.
    static func clear(_ set: Set, in batch: inout FilterBatch) {
        batch.add(.deleteElements, set.table) { $0.place(set) }
    }

    /// Adds addresses, for a time in milliseconds where they shall not stay.
    static func add(_ keys: [[UInt8]], to set: Set, milliseconds: Int64?, in batch: inout FilterBatch) {
        guard !keys.isEmpty else { return }
        batch.add(.newElements, set.table) { $0.elements(keys, of: set, milliseconds: milliseconds) }
    }

    /// Removes an element; refused when it is not there or its time is over.
    static func remove(_ key: [UInt8], from set: Set, in batch: inout FilterBatch) {
        batch.add(.deleteElements, set.table) { $0.elements([key], of: set, milliseconds: nil) }
    }

    private static func add(_ set: Set, _ batch: inout FilterBatch) {
        batch.add(.newSet, set.table) { message in
            message.place(set)
            message.number(3, UInt32(set.expires ? 0x10 : 0))
            message.number(4, set.keyType)
            message.number(5, UInt32(set.keyLength))
            // Only unique within the batch; the kernel wants one.
            message.number(10, UInt32(all.firstIndex { $0.name == set.name && $0.table == set.table } ?? 0) + 1)
        }
    }

    private static func addChain(
        _ chain: String,
        _ family: FilterBatch.Family,
        hook: UInt32,
        priority: Int32,
        _ batch: inout FilterBatch
    ) {
        batch.add(.newChain, family) { message in
            message.text(1, name)
            message.text(3, chain)
            message.nested(4) { place in
                place.number(1, hook)
                place.number(2, priority)
            }
            message.text(7, "filter")
        }
    }

    private static func addRule(
        _ chain: String,
        _ family: FilterBatch.Family,
        _ batch: inout FilterBatch,
        _ conditions: (inout FilterExpressions) -> Void
    ) {
        var expressions = FilterExpressions()
        conditions(&expressions)
        expressions.drop()
        batch.add(.newRule, family) { message in
            message.text(1, name)
            message.text(2, chain)
            message.nested(4) { $0 = expressions.list }
        }
    }
}

extension FilterAttributes {
    /// Table and name of a set, by the numbers that messages of sets and of elements share.
    fileprivate mutating func place(_ set: LeaseTables.Set) {
        text(1, LeaseTables.name)
        text(2, set.name)
    }

    fileprivate mutating func elements(_ keys: [[UInt8]], of set: LeaseTables.Set, milliseconds: Int64?) {
        place(set)
        nested(3) { list in
            for key in keys {
                list.nested(1) { element in
                    element.nested(1) { $0.data(1, key) }
                    if let milliseconds { element.number(4, milliseconds) }
                }
            }
        }
    }
}
