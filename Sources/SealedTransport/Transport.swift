internal import Bytes
public import ClusterModel
public import Cryptography
public import TransportCore

/// A datagram as it goes on the wire.
public struct SealedDatagram: Sendable {
    /// To whom.
    public var node: NodeID
    /// On which of the peer's links.
    public var link: Int
    /// Its address there.
    public var endpoint: Endpoint
    /// All bytes.
    public var bytes: [UInt8]
}

/// What one call brought about, appended to a buffer that is reused.
public struct TransportOutput: Sendable {
    /// To be sent, in order.
    public var datagrams: [SealedDatagram] = []
    /// To be acted on, in order.
    public var events: [TransportEvent] = []

    /// Empty.
    public init() {}

    /// Forgets everything and keeps the room.
    public mutating func removeAll() {
        datagrams.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}

/// All traffic between this agent and its peers: sealed, bound to sessions, never replayed (RULE 4.1-a).
///
/// Nothing that comes from outside throws, ends a loop or is answered, unless it is authentic. Used from an event loop:
///
///     let own = PeerSession(node: 1, incarnation: try store.beginIncarnation(), session: try SystemRandom.random128())
///     var transport = try Transport(LocalIdentity(cluster: id, own: own), secrets: [1: secret], generation: 1)
///     transport.setPeers([NodeID(2): [endpoint2], NodeID(3): [endpoint3]])
///     var output = TransportOutput()
///     while running {
///         poller.wait(until: min(core.nextDeadline, transport.nextDeadline), ...)
///         while let (count, from) = socket.receive(into: &buffer) {
///             if DatagramKind.isJoining(buffer, count: count) == true { issuer.receive(...); continue }
///             transport.receive(&buffer, count: count, from: from, now: now, into: &output)
///         }
///         for heartbeat in core.heartbeats { transport.send(heartbeat.bytes, .heartbeat, to: heartbeat.peer, ...) }
///         transport.tick(now: now, into: &output)
///         for datagram in output.datagrams { sockets[datagram.node].send(datagram.bytes) }
///         for event in output.events {
///             switch event {
///             case .session(let peer, let level): core.peerStarted(peer, level)   // forget what the old session said
///             case .message(let peer, let link, let kind, let level, let bytes): core.receive(...)
///             case .identityConflict, .noCommonLevel: alarm(event)
///             case .refused: store.write(stopVoting); alarm(event)
///             }
///         }
///         output.removeAll()
///     }
///
/// Not copyable: a copy would seal with the same counters again.
public struct Transport: ~Copyable, Sendable {
    private var machine: TransportMachine
    private var keys: KeyRing
    private var sealer: (generation: UInt32, cipher: AESGCM)
    private var effects = TransportEffects()
    private var random = SystemRandomNumberGenerator()

    /// Begins without peers.
    ///
    /// - Parameters:
    ///   - local: Who this agent is in this run.
    ///   - secrets: The cluster's secrets by generation.
    ///   - generation: The one that seals; it must be among them.
    /// - Throws: `invalidSize` without a secret for the generation.
    public init(
        _ local: LocalIdentity,
        secrets: [UInt32: SecretBytes],
        generation: UInt32
    ) throws(CryptographyError) {
        let keys = KeyRing(cluster: local.cluster, secrets: secrets)
        sealer = (generation, try keys.sealer(local.own, generation))
        self.keys = keys
        var random = SystemRandomNumberGenerator()
        machine = TransportMachine(local: local, generation: generation, seed: random.next())
        machine.acceptedGenerations = Array(secrets.keys)
    }

    /// Who this agent is.
    public var local: LocalIdentity { machine.local }
    /// What went where.
    public var counters: TransportCounters { machine.counters }
    /// When `tick` has something to do.
    public var nextDeadline: Instant? { machine.nextDeadline }
    /// The peer's session, once it is accepted.
    public func session(of node: NodeID) -> PeerSession? { machine.session(of: node) }

    /// The level of the protocol that both speak in the peer's session, once it is accepted.
    public func level(of node: NodeID) -> UInt8? { machine.level(of: node) }
    /// What this agent speaks, and the cluster's level as far as it was told.
    public var levels: LevelOffer { machine.levels }
    /// Peers that are alive and have no level in common with this node, with what they offered last.
    public var foreignLevels: [NodeID: LevelOffer] { machine.foreignLevels }
    /// The cluster's level is that: no session begins below it any more.
    public mutating func learn(clusterLevel: UInt8) { machine.learn(clusterLevel: clusterLevel) }

    /// Replaces the peers and their addresses, one a link.
    public mutating func setPeers(_ links: [NodeID: [Endpoint]]) { machine.setPeers(links) }

    /// Silence after which a link counts as down.
    public var linkSilence: Duration {
        get { machine.linkSilence }
        set { machine.linkSilence = newValue }
    }

    /// The links to a peer; empty for an unknown one.
    public func links(to node: NodeID, now: Instant) -> [LinkFacts] { machine.links(to: node, now: now) }

    /// Refuses sessions of a peer below this incarnation from now on.
    public mutating func learn(incarnation: Incarnation, of node: NodeID) {
        machine.learn(incarnation: incarnation, of: node)
    }

    /// Forgets what is known of a peer that joined again with a fresh disk.
    public mutating func forget(_ node: NodeID) { machine.forget(node) }

    /// Opens datagrams under another generation of the secret too.
    public mutating func install(_ secret: SecretBytes, generation: UInt32) {
        keys.install(secret, generation: generation)
        if !machine.acceptedGenerations.contains(generation) { machine.acceptedGenerations.append(generation) }
    }

    /// Seals with another installed generation from now on.
    public mutating func use(generation: UInt32) throws(CryptographyError) {
        sealer = (generation, try keys.sealer(machine.local.own, generation))
        machine.sendingGeneration = generation
    }

    /// The generation that seals.
    public var sendingGeneration: UInt32 { machine.sendingGeneration }

    /// Opens nothing under a generation any more; the one in use stays.
    public mutating func retire(generation: UInt32) {
        guard generation != machine.sendingGeneration else { return }
        machine.acceptedGenerations.removeAll { $0 == generation }
        keys.retire(generation: generation)
    }

    /// Takes a datagram from a socket; it is opened in place.
    ///
    /// - Parameters:
    ///   - buffer: Holds the datagram at its start.
    ///   - count: Bytes of the datagram.
    ///   - from: Its sender's address.
    ///   - now: The time.
    ///   - output: What it brought about is appended.
    public mutating func receive(
        _ buffer: inout [UInt8],
        count: Int,
        from: Endpoint,
        now: Instant,
        into output: inout TransportOutput
    ) {
        // A count above the buffer's is cut to it.
        guard let header = machine.examine(buffer.span.bytes.extracting(first: count), from: from, now: now) else {
            return
        }
        let origin = PeerSession(node: header.sender, incarnation: header.incarnation, session: header.session)
        do throws(CryptographyError) {
            guard let cipher = try keys.cipher(of: origin, generation: header.generation) else { throw .notAuthentic }
            let content = try cipher.open(
                &buffer,
                count: count,
                clear: DatagramHeader.size,
                nonce: AESGCM.Nonce(counter: header.counter, salt: header.salt)
            )
            keys.remember(cipher, of: origin, generation: header.generation)
            // A generation is used only once every node has it, so nobody is left behind by using it, too; and a node that
            // was away when it came into use would not be understood otherwise.
            if header.generation > machine.sendingGeneration { try use(generation: header.generation) }
            machine.accept(header, buffer.span.bytes.extracting(content), from: from, now: now, into: &effects)
        } catch {
            machine.reject()
        }
        seal(into: &output)
    }

    /// Sends a message; see `TransportMachine.send`.
    @discardableResult
    public mutating func send(
        _ bytes: [UInt8],
        _ messageClass: MessageClass,
        to node: NodeID,
        now: Instant,
        into output: inout TransportOutput
    ) -> SendResult {
        let result = machine.send(bytes, messageClass, to: node, now: now, into: &effects)
        seal(into: &output)
        return result
    }

    /// Does what is due; to be called once in each pass of the loop.
    public mutating func tick(now: Instant, into output: inout TransportOutput) {
        machine.tick(now: now, into: &effects)
        seal(into: &output)
    }

    private mutating func seal(into output: inout TransportOutput) {
        output.events += effects.events
        for var datagram in effects.datagrams {
            guard sealer.generation == datagram.header.generation else { continue }
            datagram.header.salt = random.next()
            var writer = ByteWriter(capacity: DatagramHeader.size + datagram.content.count + AESGCM.tagSize)
            datagram.header.encode(into: &writer)
            writer.write(datagram.content)
            var bytes = writer.bytes
            let nonce = AESGCM.Nonce(counter: datagram.header.counter, salt: datagram.header.salt)
            // Only broken memory makes libcrypto fail here; what is not sealed is not sent.
            guard (try? sealer.cipher.seal(&bytes, clear: DatagramHeader.size, nonce: nonce)) != nil else { continue }
            output.datagrams.append(
                SealedDatagram(
                    node: datagram.header.receiver,
                    link: datagram.link,
                    endpoint: datagram.endpoint,
                    bytes: bytes
                )
            )
        }
        effects.removeAll()
    }
}

extension KeyRing {
    fileprivate func sealer(_ own: PeerSession, _ generation: UInt32) throws(CryptographyError) -> AESGCM {
        guard let cipher = try cipher(of: own, generation: generation) else { throw .invalidSize }
        return cipher
    }
}
