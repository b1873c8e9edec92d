import ClusterModel
import ClusterSetup
import Cryptography
import LinuxIO
import Logging
import SealedTransport
import TransportCore

/// What came from peers.
enum PeerNews {
    /// A peer came into session.
    case session(NodeID, Incarnation, SessionID)
    /// A message of a peer's present session.
    case message(PeerEnvelope, NodeID)
    /// Something that an operator must look at.
    case alarm(String)
    /// A peer refuses this node's identity; it must not vote until it has joined again.
    case refused(String)
}

/// The sockets to all peers, and what is sealed and opened on them.
///
/// Each peer has a connected socket of its own with its own buffer, so that what strangers send fills another one.
final class PeerLinks {
    /// The one port of Haven.
    static let port: UInt16 = 5480
    /// Datagrams taken from one socket in one pass of the loop.
    static let budget = 64

    private let own: NodeID
    private let ownAddress: IPAddress
    private let log: Logger
    private var transport: Transport
    private var links: [NodeID: Link] = [:]
    private var output = TransportOutput()
    private var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)
    private var base: UInt64 = 0
    private var malformed: UInt64 = 0

    /// A socket with what it is connected to; a class, because a dictionary cannot hold the socket itself.
    private final class Link {
        let address: IPAddress
        let socket: DatagramSocket

        init(address: IPAddress, socket: consuming DatagramSocket) {
            self.address = address
            self.socket = socket
        }
    }

    init(identity: Identity, incarnation: Incarnation, session: SessionID, log: Logger) throws {
        guard let node = identity.nodes.first(where: { $0.id == identity.node }), let address = node.addresses.first
        else { throw AgentFailure("the identity of this node names no address") }
        own = identity.node
        ownAddress = address
        self.log = log
        let local = LocalIdentity(
            cluster: identity.cluster,
            own: PeerSession(node: identity.node, incarnation: incarnation, session: session)
        )
        transport = try Transport(
            local,
            secrets: [Self.firstGeneration: SecretBytes(try identity.secretBytes())],
            generation: Self.firstGeneration
        )
        connect(identity.nodes)
    }

    private static let firstGeneration: UInt32 = 1

    /// Opens sockets for new peers and closes those of old ones.
    private func connect(_ nodes: [Node]) {
        var endpoints: [NodeID: [Endpoint]] = [:]
        for node in nodes where node.id != own {
            guard let address = node.addresses.first else { continue }
            endpoints[node.id] = [Endpoint(address: address, port: Self.port)]
            if links[node.id]?.address == address { continue }
            do throws(SystemError) {
                let socket = try DatagramSocket(binding: ownAddress, port: Self.port, shared: true)
                try socket.connect(to: address, port: Self.port)
                links[node.id] = Link(address: address, socket: socket)
            } catch { log.error("no link to \(node.name): \(error)") }
        }
        links = links.filter { endpoints[$0.key] != nil }
        transport.setPeers(endpoints)
    }

    func register(in poller: inout Poller, base: UInt64) throws(SystemError) {
        self.base = base
        for (peer, link) in links {
            try poller.add(link.socket.descriptor.number, .read, token: base + UInt64(peer.rawValue))
        }
    }

    var nextDeadline: Instant? { transport.nextDeadline }

    /// Sends a message; what cannot be sent now is lost, as on any network, and whoever needs it sends it again.
    func send(_ envelope: PeerEnvelope, to peer: NodeID, now: Instant) {
        guard let bytes = try? envelope.encoded() else { return }
        transport.send(bytes, messageClass(envelope, bytes.count), to: peer, now: now, into: &output)
        sendDatagrams()
    }

    /// Long messages of the log and long orders do not replace each other while they are put together.
    private func messageClass(_ envelope: PeerEnvelope, _ count: Int) -> MessageClass {
        guard envelope.isOfLog else { return .general }
        return envelope.isUrgent && count <= TransportLimit.payload ? .heartbeat : .consensus
    }

    /// Takes what waits in one socket, up to a budget.
    func receive(token: UInt64, now: Instant) -> [PeerNews] {
        guard token > base, let peer = UInt8(exactly: token - base), let link = links[NodeID(peer)] else { return [] }
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
        for datagram in output.datagrams { links[datagram.node]?.socket.send(datagram.bytes) }
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
        case .session(let peer): return .session(peer.node, peer.incarnation, peer.session)
        case .message(let peer, _, _, let bytes):
            guard let envelope = try? PeerEnvelope(parsing: bytes) else {
                malformed += 1
                return nil
            }
            return .message(envelope, peer.node)
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
