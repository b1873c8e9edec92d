import ClusterModel
import Cryptography
import SealedTransport
import Testing
import TransportCore

/// One agent's transport with what it was told.
final class Agent {
    var transport: Transport
    let endpoint: Endpoint
    var events: [TransportEvent] = []

    init(_ transport: consuming Transport, endpoint: Endpoint) {
        self.transport = transport
        self.endpoint = endpoint
    }

    var own: PeerSession { transport.local.own }
    var node: NodeID { own.node }

    /// The messages that came, oldest first.
    var messages: [[UInt8]] {
        events.compactMap { event in
            if case .message(_, _, _, _, let bytes) = event { bytes } else { nil }
        }
    }

    /// The sessions that were accepted, oldest first.
    var sessions: [PeerSession] {
        events.compactMap { event in
            if case .session(let session, _) = event { session } else { nil }
        }
    }
}

/// A datagram on its way.
struct Travelling {
    var bytes: [UInt8]
    var from: Endpoint
    var to: Endpoint
}

/// Agents on a network whose faults a test chooses, with an invented clock.
final class Fleet {
    static let cluster = ClusterID(high: 11, low: 22)
    static let secret = SecretBytes([UInt8](repeating: 0x5A, count: 32))

    var agents: [Endpoint: Agent] = [:]
    var now = Instant.zero + .seconds(100)
    /// Everything that was sent, in order.
    var recorded: [Travelling] = []
    /// What a datagram becomes on its way: nothing, itself, two of it, another.
    var fate: (Travelling) -> [Travelling] = { [$0] }
    private var travelling: [Travelling] = []

    /// Where a node is.
    static func endpoint(_ node: UInt8) throws -> Endpoint { try #require(Endpoint("10.0.0.\(node):5480")) }

    /// Starts an agent in place of an earlier one at its address.
    @discardableResult
    func start(
        _ node: UInt8,
        incarnation: Incarnation = 1,
        peers: [UInt8] = [1, 2, 3],
        cluster: ClusterID = Fleet.cluster,
        secret: SecretBytes = Fleet.secret,
        at place: UInt8? = nil,
        level: UInt8 = ProtocolLevel.newest
    ) throws -> Agent {
        var random = SystemRandomNumberGenerator()
        let session = SessionID(high: random.next(), low: random.next())
        let own = PeerSession(node: NodeID(node), incarnation: incarnation, session: session)
        let local = LocalIdentity(cluster: cluster, own: own, newestLevel: level)
        var transport = try Transport(local, secrets: [1: secret], generation: 1)
        var links: [NodeID: [Endpoint]] = [:]
        for peer in peers { links[NodeID(peer)] = [try Self.endpoint(peer)] }
        transport.setPeers(links)
        let agent = Agent(transport, endpoint: try Self.endpoint(place ?? node))
        agents[agent.endpoint] = agent
        return agent
    }

    /// Lets all agents do what is due, and carries datagrams until none is on its way.
    func settle() {
        for agent in agents.values.sorted(by: { $0.node < $1.node }) {
            var output = TransportOutput()
            agent.transport.tick(now: now, into: &output)
            take(output, from: agent)
        }
        var carried = 0
        while !travelling.isEmpty, carried < 100_000 {
            carried += 1
            let next = travelling.removeFirst()
            deliver(next)
        }
        #expect(carried < 100_000, "datagrams answer each other without end")
        for agent in agents.values {
            if let deadline = agent.transport.nextDeadline { #expect(deadline > now, "a deadline that spins the loop") }
        }
    }

    /// Settles again and again while time passes.
    func run(for duration: Duration, step: Duration = .milliseconds(5)) {
        let end = now + duration
        while now < end {
            now = now + step
            settle()
        }
    }

    /// Hands one datagram to whoever is at its address.
    func deliver(_ datagram: Travelling) {
        guard let agent = agents[datagram.to] else { return }
        var output = TransportOutput()
        var buffer = datagram.bytes
        agent.transport.receive(&buffer, count: buffer.count, from: datagram.from, now: now, into: &output)
        take(output, from: agent)
    }

    @discardableResult
    func send(_ bytes: [UInt8], _ messageClass: MessageClass, from agent: Agent, to node: UInt8) -> SendResult {
        var output = TransportOutput()
        let result = agent.transport.send(bytes, messageClass, to: NodeID(node), now: now, into: &output)
        take(output, from: agent)
        return result
    }

    private func take(_ output: TransportOutput, from agent: Agent) {
        agent.events += output.events
        for datagram in output.datagrams {
            let sent = Travelling(bytes: datagram.bytes, from: agent.endpoint, to: datagram.endpoint)
            recorded.append(sent)
            travelling += fate(sent)
        }
    }
}
