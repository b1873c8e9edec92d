import Bytes
import ClusterModel
import ClusterSetup
import Cryptography
import LinuxIO
import Logging
import SealedTransport
import TransportCore

/// What came from peers.
enum PeerNews {
    /// A peer came into session; both speak that level in it.
    case session(NodeID, Incarnation, SessionID, level: UInt8)
    /// A message of a peer's present session.
    case message(PeerEnvelope, NodeID)
    /// A link came up or went down.
    case link(NodeID, Int, isUp: Bool)
    /// A peer has no level of the protocol in common with this node; in words, and the level of its cluster.
    case foreignLevels(String, cluster: UInt8)
    /// Something that an operator must look at.
    case alarm(String)
    /// A peer refuses this node's identity; it must not vote until it has joined again.
    case refused(String)
}

/// The sockets to all peers, and what is sealed and opened on them.
///
/// Each peer has connected sockets of its own, one a link, each with its own buffer, so that what strangers send, or
/// another peer does, fills another one.
final class PeerLinks {
    /// The one port of Haven.
    static let port: UInt16 = 5480
    /// Datagrams taken from one socket in one pass of the loop.
    static let budget = 64

    private let own: NodeID
    private let ownAddresses: [IPAddress]
    private let log: Logger
    private var transport: Transport
    /// The cluster's secret as it seals now.
    private(set) var sealingSecret: SecretBytes?
    /// By peer, one a link; nil where this node or the peer has no such address.
    private var links: [NodeID: [Link?]] = [:]
    private var output = TransportOutput()
    private var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)
    private var base: UInt64 = 0
    /// Everybody whom this node talks to, and itself.
    private(set) var nodes: [Node] = []
    private var malformed: UInt64 = 0

    /// A socket to one address of a peer; a class, because a dictionary cannot hold the socket itself.
    private final class Link {
        let socket: DatagramSocket

        init(_ socket: consuming DatagramSocket) { self.socket = socket }
    }

    /// - Parameters:
    ///   - identity: Who this node is, with the secret that it joined with.
    ///   - nodes: Everybody who may be part of the cluster.
    ///   - keys: What the disk knows of later generations.
    ///   - incarnation: Of this start.
    ///   - session: Of this start.
    ///   - log: For what goes wrong.
    /// - Throws: what is wrong with the identity.
    init(
        identity: Identity,
        nodes: [Node],
        keys: ClusterKeys,
        incarnation: Incarnation,
        session: SessionID,
        log: Logger
    ) throws {
        guard let node = nodes.first(where: { $0.id == identity.node }), !node.addresses.isEmpty else {
            throw AgentFailure("the identity of this node names no address")
        }
        own = identity.node
        ownAddresses = node.addresses
        self.log = log
        let local = LocalIdentity(
            cluster: identity.cluster,
            own: PeerSession(node: identity.node, incarnation: incarnation, session: session)
        )
        let first = identity.generation ?? 1
        var secrets = [first: SecretBytes(try identity.secretBytes())]
        for (generation, secret) in keys.secrets { secrets[generation] = Self.bytes(secret) }
        let sending = secrets[keys.current] == nil ? first : max(first, keys.current)
        secrets = secrets.filter { $0.key > keys.retired || $0.key == sending }
        sealingSecret = secrets[sending]
        transport = try Transport(local, secrets: secrets, generation: sending)
        connect(nodes)
    }

    private static func bytes(_ secret: Secret) -> SecretBytes? { Hex.decode(secret.exposed).map { SecretBytes($0) } }

    /// Does what the log says of the cluster's secrets: opens with new ones, seals with the one in use, forgets the old.
    func follow(_ keys: ClusterKeys) {
        for (generation, secret) in keys.secrets where generation > keys.retired {
            if let bytes = Self.bytes(secret) { transport.install(bytes, generation: generation) }
        }
        do throws(CryptographyError) {
            if keys.current > transport.sendingGeneration {
                try transport.use(generation: keys.current)
                sealingSecret = keys.secrets[keys.current].flatMap(Self.bytes) ?? sealingSecret
            }
        } catch { log.error("generation \(keys.current) of the cluster's secret cannot be used: \(error)") }
        for generation in 0...keys.retired where generation > 0 { transport.retire(generation: generation) }
    }

    /// Nodes came or went: opens sockets to new ones and closes those to others.
    func follow(_ nodes: [Node], in poller: inout Poller) {
        guard nodes != self.nodes, nodes.contains(where: { $0.id == own }) else { return }
        let before = Dictionary(uniqueKeysWithValues: self.nodes.map { ($0.id, $0) })
        let stays = Set(nodes.filter { before[$0.id]?.addresses == $0.addresses }.map(\.id))
        for (peer, list) in links where !stays.contains(peer) {
            for link in list { if let link { poller.remove(link.socket.descriptor.number) } }
            links[peer] = nil
        }
        connect(nodes)
        for peer in nodes.map(\.id) where !stays.contains(peer) {
            do throws(SystemError) { try register(peer, in: &poller) } catch {
                log.error("the links to \(peer) are not listened to: \(error)")
            }
        }
    }

    /// Opens the sockets to all peers that have none.
    ///
    /// Link n of a pair joins the nth addresses of both.
    private func connect(_ nodes: [Node]) {
        self.nodes = nodes
        var endpoints: [NodeID: [Endpoint]] = [:]
        for node in nodes where node.id != own {
            let pairs = zip(ownAddresses, node.addresses).prefix(TransportLimit.links)
            endpoints[node.id] = pairs.map { Endpoint(address: $1, port: Self.port) }
            if links[node.id] == nil { links[node.id] = pairs.map { link(from: $0, to: $1, of: node.name) } }
        }
        transport.setPeers(endpoints)
    }

    private func link(from: IPAddress, to: IPAddress, of name: NodeName) -> Link? {
        guard from.family == to.family else {
            log.error("no link from \(from) to \(name) at \(to): one is IPv4, the other IPv6")
            return nil
        }
        do throws(SystemError) {
            let socket = try DatagramSocket(binding: from, port: Self.port, shared: true, isLink: true)
            try socket.connect(to: to, port: Self.port)
            return Link(socket)
        } catch {
            log.error("no link from \(from) to \(name) at \(to): \(error)")
            return nil
        }
    }

    func register(in poller: inout Poller, base: UInt64) throws(SystemError) {
        self.base = base
        for peer in links.keys { try register(peer, in: &poller) }
    }

    private func register(_ peer: NodeID, in poller: inout Poller) throws(SystemError) {
        for (index, link) in (links[peer] ?? []).enumerated() {
            guard let link else { continue }
            let token = base + UInt64(peer.rawValue) * Self.tokensPerPeer + UInt64(index)
            try poller.add(link.socket.descriptor.number, .read, token: token)
        }
    }

    private static let tokensPerPeer = UInt64(TransportLimit.links)

    /// The links to all peers, as this node sees them.
    func facts(now: Instant) -> [(peer: NodeID, local: IPAddress, facts: LinkFacts)] {
        links.keys.sorted().flatMap { peer in
            transport.links(to: peer, now: now).map { (peer, ownAddresses[$0.link], $0) }
        }
    }

    /// A link is down when it is silent for as long as makes a node suspect.
    func setSilence(_ silence: Duration) { transport.linkSilence = silence }

    /// The cluster's level is that: whoever speaks less is not listened to any more.
    func learn(clusterLevel: UInt8) { transport.learn(clusterLevel: clusterLevel) }

    /// Peers that are alive and have no level of the protocol in common with this node, in words for the operator.
    var foreignLevels: [String] {
        transport.foreignLevels.sorted { $0.key < $1.key }
            .map { transport.levels.objection(to: $0.value, of: name(of: $0.key)) }
    }

    private func name(of peer: NodeID) -> NodeName { nodes.first { $0.id == peer }?.name ?? peer.description }

    var nextDeadline: Instant? { transport.nextDeadline }

    /// Sends a message; what cannot be sent now is lost, as on any network, and whoever needs it sends it again.
    func send(_ envelope: PeerEnvelope, to peer: NodeID, now: Instant) {
        guard let level = transport.level(of: peer), let bytes = try? envelope.encoded(level: level) else { return }
        transport.send(bytes, messageClass(envelope, bytes.count), to: peer, now: now, into: &output)
        sendDatagrams()
    }

    /// Long messages of the log and long orders do not replace each other while they are put together.
    private func messageClass(_ envelope: PeerEnvelope, _ count: Int) -> MessageClass {
        guard envelope.isOfLog else { return .general }
        return envelope.isUrgent && count <= TransportLimit.heartbeat ? .heartbeat : .consensus
    }

    /// Takes what waits in one socket, up to a budget.
    func receive(token: UInt64, now: Instant) -> [PeerNews] {
        guard token >= base, let peer = UInt8(exactly: (token - base) / Self.tokensPerPeer) else { return [] }
        let index = Int((token - base) % Self.tokensPerPeer)
        guard let links = links[NodeID(peer)], links.indices.contains(index), let link = links[index] else { return [] }
        for _ in 0..<Self.budget {
            guard let received = link.socket.receive(into: &buffer) else { break }
            guard let from = received.from.endpoint else { continue }
            let endpoint = Endpoint(address: from.address, port: from.port)
            transport.receive(&buffer, count: received.count, from: endpoint, now: now, into: &output)
        }
        return flush()
    }

    /// Does what is due, once per pass.
    func tick(now: Instant) -> [PeerNews] {
        transport.tick(now: now, into: &output)
        return flush()
    }

    private func sendDatagrams() {
        for datagram in output.datagrams {
            guard let links = links[datagram.node], links.indices.contains(datagram.link) else { continue }
            links[datagram.link]?.socket.send(datagram.bytes)
        }
        output.datagrams.removeAll(keepingCapacity: true)
    }

    private func flush() -> [PeerNews] {
        sendDatagrams()
        if output.events.isEmpty { return [] }
        let events = output.events
        output.events.removeAll(keepingCapacity: true)
        return events.compactMap(news)
    }

    private func news(_ event: TransportEvent) -> PeerNews? {
        switch event {
        case .session(let peer, let level):
            return .session(peer.node, peer.incarnation, peer.session, level: level)
        case .message(let peer, _, _, let level, let bytes):
            guard let envelope = try? PeerEnvelope(parsing: bytes, level: level) else {
                malformed += 1
                return nil
            }
            return .message(envelope, peer.node)
        case .noCommonLevel(let peer, let offer):
            return .foreignLevels(transport.levels.objection(to: offer, of: name(of: peer)), cluster: offer.cluster)
        case .otherVersion(let peer, let version):
            return .alarm(
                "\(peer) speaks version \(version) of the protocol and is not understood (this node speaks version "
                    + "\(DatagramHeader.version)): install the same version of Haven there"
            )
        case .link(let peer, let link, let isUp): return .link(peer, link, isUp: isUp)
        case .identityConflict(let claimed, let known, let reason):
            return .alarm(
                "a machine claims to be \(claimed.node) with incarnation \(claimed.incarnation) (known: \(known)): "
                    + (reason == .olderIncarnation ? "an old disk image was restored" : "its disk was copied")
            )
        case .refused(let peer, let reason):
            return .refused(
                "\(peer) refuses this node's identity: "
                    + (reason == .olderIncarnation
                        ? "it runs from an old image of its disk" : "another machine runs with a copy of its disk")
            )
        }
    }
}
