internal import CLinux
public import ClusterModel

/// A node as the operator named it for set-up: `controller1` or `controller1=192.168.0.10[,10.0.0.10]`.
public struct PlannedNode: Hashable, Sendable {
    /// Its name.
    public var name: NodeName
    /// Where its agent shall listen.
    public var addresses: [IPAddress]

    /// The most links between two nodes.
    public static let mostAddresses = 8

    /// Reads a word; a name without addresses is looked up.
    public init(parsing word: String) throws(SetupError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        if let violation = NameRule.violation(name) { throw .badWord(word, violation) }
        if parts.count == 1 {
            guard let found = Self.resolve(name) else {
                throw .badWord(word, "the name does not resolve; write \(name)=ADDRESS")
            }
            addresses = [found]
            return
        }
        addresses = []
        for text in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let address = IPAddress(String(text)) else { throw .badWord(word, "\"\(text)\" is no IP address") }
            addresses.append(address)
        }
        guard addresses.count <= Self.mostAddresses else {
            throw .badWord(word, "more than \(Self.mostAddresses) addresses")
        }
        if let twin = addresses.first(where: { address in addresses.count { $0 == address } > 1 }) {
            throw .badWord(word, "\(twin) stands twice")
        }
    }

    /// Reads the word for a machine that joins others.
    ///
    /// - Parameters:
    ///   - word: The word.
    ///   - nodes: The nodes that are there.
    ///   - role: What it shall do.
    /// - Returns: The node, with number 0.
    /// - Throws: for a word that cannot be meant, or that does not fit the others.
    public static func newcomer(
        _ word: String,
        beside nodes: [Node],
        role: NodeRole
    ) throws(SetupError) -> Node {
        let planned = try PlannedNode(parsing: word)
        for address in planned.addresses where isLoopback(address) {
            throw .badWord(word, "\(address) is a loopback address, which other nodes cannot reach")
        }
        if let first = nodes.first { try check(planned, against: first, word) }
        return Node(id: NodeID(0), name: planned.name, addresses: planned.addresses, role: role)
    }

    /// Reads all words and checks them against each other.
    ///
    /// - Parameters:
    ///   - words: One for each node.
    ///   - roles: What nodes are that are no members.
    /// - Returns: The nodes, numbered in their order.
    /// - Throws: for a word that cannot be meant.
    public static func parse(_ words: [String], roles: [NodeName: NodeRole] = [:]) throws(SetupError) -> [Node] {
        var nodes: [Node] = []
        for (index, word) in words.enumerated() {
            guard index < 32 else { throw .badWord(word, "a cluster has at most 32 nodes") }
            let planned = try PlannedNode(parsing: word)
            if let twin = nodes.first(where: { $0.name == planned.name }) {
                throw .badWord(word, "the name \(twin.name) stands twice")
            }
            for address in planned.addresses {
                if let twin = nodes.first(where: { $0.addresses.contains(address) }) {
                    throw .badWord(word, "\(address) is already the address of \(twin.name)")
                }
                if Self.isLoopback(address), words.count > 1 {
                    throw .badWord(word, "\(address) is a loopback address, which other nodes cannot reach")
                }
            }
            if let first = nodes.first {
                try check(planned, against: first, word)
            }
            var node = Node(id: NodeID(UInt8(index + 1)), name: planned.name, addresses: planned.addresses)
            node.role = roles[node.name] ?? .member
            nodes.append(node)
        }
        if let stranger = roles.keys.sorted().first(where: { name in !nodes.contains { $0.name == name } }) {
            throw .badWord(stranger, "it has a role and is not among the nodes")
        }
        if !nodes.isEmpty, !nodes.contains(where: \.role.votes) {
            throw .failed("no node votes; satellites need at least one member or witness")
        }
        return nodes
    }

    /// Link n of two nodes joins their nth addresses.
    private static func check(_ planned: PlannedNode, against first: Node, _ word: String) throws(SetupError) {
        guard planned.addresses.count == first.addresses.count else {
            throw .badWord(
                word,
                "\(planned.addresses.count) addresses, but \(first.name) has \(first.addresses.count): "
                    + "give every node one address for each link, in the same order"
            )
        }
        for (own, other) in zip(planned.addresses, first.addresses) where own.family != other.family {
            throw .badWord(word, "\(own) and \(other) of \(first.name) cannot make a link: one is IPv4, the other IPv6")
        }
    }

    private static func isLoopback(_ address: IPAddress) -> Bool {
        address.family == .v4 ? address.bytes[0] == 127 : address == IPAddress("::1")
    }

    /// The first address that the system's resolver gives for a name, leaving out loopback ones where there are others.
    private static func resolve(_ name: String) -> IPAddress? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var entry = list
        while let current = entry {
            let raw = UnsafeRawBufferPointer(start: current.pointee.ai_addr, count: Int(current.pointee.ai_addrlen))
            switch current.pointee.ai_family {
            case AF_INET: found += [IPAddress(bytes: Array(raw[4..<8]))].compactMap(\.self)
            case AF_INET6: found += [IPAddress(bytes: Array(raw[8..<24]))].compactMap(\.self)
            default: break
            }
            entry = current.pointee.ai_next
        }
        return found.first { !isLoopback($0) } ?? found.first
    }
}
