public import ClusterModel
import Glibc
import LinuxIO
import SealedTransport
import TransportCore

/// Issues join tokens and answers the machines that come with them; used by a running agent, and by `cluster setup`
/// before any agent runs.
public final class JoinDesk {
    /// The one port of Haven.
    public static let port: UInt16 = 5480
    /// Datagrams taken in one pass: joining must not keep a loop from its other work.
    private static let budget = 16

    /// The cluster's level of the protocol: a machine that speaks less is refused.
    public var clusterLevel = ProtocolLevel.first
    private var identity: Identity
    private let socket: DatagramSocket
    private let endpoint: Endpoint
    private var issuer = JoinIssuer()
    private var documents: [Random128: (Identity) -> Identity] = [:]
    private var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)

    /// Opens the socket at the node's own address.
    ///
    /// - Parameters:
    ///   - identity: What joiners get, each as its own node.
    ///   - shared: Whether sockets of this process that are tied to peers share the port.
    /// - Throws: what the kernel refused.
    public init(identity: Identity, shared: Bool) throws {
        guard let address = identity.own?.addresses.first else {
            throw SetupError.failed("this node's identity names no address")
        }
        self.identity = identity
        endpoint = Endpoint(address: address, port: Self.port)
        socket = try DatagramSocket(binding: address, port: Self.port, shared: shared)
    }

    /// For registering with a poller.
    public var descriptor: Int32 { socket.descriptor.number }

    /// When `tick` has something to do.
    public var nextDeadline: Instant? { issuer.nextDeadline }

    /// A token with which one machine can become that node at its set-up, once, within 15 minutes; to be passed on
    /// standard input.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - now: The time.
    /// - Returns: The token.
    /// - Throws: when too many tokens are open, or the kernel gives no random numbers.
    public func issue(for node: NodeID, now: Instant) throws(SetupError) -> String {
        try issue(now: now) { $0.forNode(node) }
    }

    /// The same for a machine that becomes a node of a running cluster.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - former: The newest incarnation that it had, where it was a member before.
    ///   - members: All nodes as they are now.
    ///   - now: The time.
    /// - Returns: The token.
    /// - Throws: as above.
    public func issue(
        forNewcomer node: NodeID,
        former: Incarnation?,
        members: [Node],
        now: Instant
    ) throws(SetupError) -> String {
        try issue(now: now) { $0.forNewcomer(node, former: former, members: members) }
    }

    private func issue(now: Instant, _ document: @escaping (Identity) -> Identity) throws(SetupError) -> String {
        do {
            guard let issued = try issuer.issue(endpoints: [endpoint], clusterName: identity.clusterName, now: now)
            else { throw SetupError.failed("too many tokens are open; each ends by itself after 15 minutes") }
            documents[issued.name] = document
            return issued.token.text
        } catch let error as SetupError {
            throw error
        } catch {
            throw .failed("no token could be made: \(error)")
        }
    }

    /// Gives joiners another generation of the cluster's secret from now on.
    public func hand(out secret: Secret, generation: UInt32) {
        identity.secret = secret
        identity.generation = generation
    }

    /// Ends tokens that are too old.
    public func tick(now: Instant) {
        issuer.tick(now: now)
        let open = issuer.tokens
        documents = documents.filter { open.contains($0.key) }
    }

    /// Answers what waits in the socket.
    ///
    /// - Returns: The nodes that were given their identity now.
    @discardableResult
    public func receive(now: Instant) -> [NodeID] {
        var joined: [NodeID] = []
        for _ in 0..<Self.budget {
            guard let received = socket.receive(into: &buffer) else { break }
            guard let peer = received.from.endpoint,
                DatagramKind.isJoining(buffer, count: received.count) == true
            else { continue }
            let from = Endpoint(address: peer.address, port: peer.port)
            var reply: [UInt8]?
            let request = issuer.receive(&buffer, count: received.count, from: from, now: now, reply: &reply)
            if let reply { socket.send(reply, to: received.from) }
            guard let request else { continue }
            if let objection = LevelOffer(speaking: ProtocolLevel.newest, cluster: clusterLevel)
                .objection(toJoiner: request.payload)
            {
                issuer.settle(request, .failure(JoinRefusal(objection)))
                continue
            }
            guard let joiner = documents[request.token]?(identity), let document = try? joiner.encoded() else {
                issuer.settle(request, .failure(JoinRefusal("the token is for no node of this cluster")))
                continue
            }
            issuer.settle(request, .success(document))
            joined.append(joiner.node)
        }
        return joined
    }
}
