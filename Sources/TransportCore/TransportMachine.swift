internal import Bytes
public import ClusterModel

/// Who this agent is in this run.
public struct LocalIdentity: Hashable, Sendable {
    /// The cluster.
    public var cluster: ClusterID
    /// This node and this run of its agent.
    public var own: PeerSession
    /// The newest level that this agent speaks.
    public var newestLevel: UInt8

    /// Joins the parts; the incarnation is durable and the session drawn for this start.
    public init(cluster: ClusterID, own: PeerSession, newestLevel: UInt8 = ProtocolLevel.newest) {
        self.cluster = cluster
        self.own = own
        self.newestLevel = newestLevel
    }
}

/// Decides which datagrams count and what is sent; its shell seals, and opens between `examine` and `accept`.
///
/// A peer's session is accepted only after it has echoed a challenge of this run, so that nothing recorded ever counts:
///
///     A → B  hello    challenge a
///     B → A  answer   challenge b, echo a      A: B's session is alive now
///     A → B  confirm  challenge a', echo b     B: A's session is alive now
///
/// Whatever is wrong with a datagram, it is counted and answered by nothing. Not copyable, because two copies would use
/// the same counters under the same key.
public struct TransportMachine: ~Copyable, Sendable {
    /// Who this agent is.
    public let local: LocalIdentity
    /// What went where.
    public internal(set) var counters = TransportCounters()
    /// The generation of the secret that seals.
    public var sendingGeneration: UInt32
    /// The generations that are opened.
    public var acceptedGenerations: [UInt32]

    /// What this agent speaks; the cluster's level in it is raised as the log is applied.
    public private(set) var levels: LevelOffer

    /// Silence after which a link counts as down.
    public var linkSilence = Duration.milliseconds(300)

    var peers: [NodeID: PeerState] = [:]
    /// Other versions that came from the peers' addresses, and those of them that the agent does not know of yet.
    private var toldVersions: [NodeID: UInt8] = [:]
    private var untoldVersions: [NodeID: UInt8] = [:]
    private var counter: UInt64 = 0
    private var challenges: SeededGenerator
    private var challengeCount: UInt64 = 0

    /// Begins without peers.
    ///
    /// - Parameters:
    ///   - local: Who this agent is.
    ///   - generation: The generation of the cluster's secret that is in use.
    ///   - seed: Random; challenges need to be fresh, which a counter sees to, and travel sealed.
    public init(local: LocalIdentity, generation: UInt32, seed: UInt64) {
        self.local = local
        levels = LevelOffer(speaking: local.newestLevel)
        sendingGeneration = generation
        acceptedGenerations = [generation]
        challenges = SeededGenerator(seed: seed)
    }

    /// Replaces the peers and their addresses; one that stays keeps its session, one that goes is heard no more.
    public mutating func setPeers(_ links: [NodeID: [Endpoint]]) {
        var next: [NodeID: PeerState] = [:]
        for (node, endpoints) in links where node != local.own.node {
            var state = peers[node] ?? PeerState()
            state.links = endpoints.prefix(TransportLimit.links).map { endpoint in
                state.links.first { $0.endpoint == endpoint } ?? LinkState(endpoint)
            }
            // A link that is gone must not swallow what is sent before the peer is heard on another.
            if let link = state.current?.link, link >= state.links.count { state.current?.link = 0 }
            next[node] = state
        }
        peers = next
    }

    /// Refuses sessions of a peer below this incarnation from now on, also the present one.
    public mutating func learn(incarnation: Incarnation, of node: NodeID) {
        guard var peer = peers[node], incarnation > peer.knownIncarnation else { return }
        peer.knownIncarnation = incarnation
        if let current = peer.current, current.incarnation < incarnation {
            peer.current = nil
            peer.queue.removeAll()
        }
        peers[node] = peer
    }

    /// Forgets what is known of a peer's incarnation and session, for a node that lost its disk and joined again.
    public mutating func forget(_ node: NodeID) {
        guard let peer = peers[node] else { return }
        peers[node] = PeerState(links: peer.links)
    }

    /// The peer's session, once it is accepted.
    public func session(of node: NodeID) -> PeerSession? {
        peers[node]?.current.map { PeerSession(node: node, incarnation: $0.incarnation, session: $0.session) }
    }

    /// The level of the peer's session, once it is accepted.
    public func level(of node: NodeID) -> UInt8? { peers[node]?.current?.level }

    /// Peers that are alive and have no level in common with this node, with what they offered last.
    public var foreignLevels: [NodeID: LevelOffer] { peers.compactMapValues(\.foreignLevels) }

    /// The cluster's level is that: no session begins below it any more.
    public mutating func learn(clusterLevel: UInt8) {
        guard clusterLevel > levels.cluster else { return }
        levels = LevelOffer(speaking: levels.newest, cluster: clusterLevel)
    }

    /// When `tick` has something to do.
    public var nextDeadline: Instant? { peers.values.map { $0.deadline(linkSilence: linkSilence) }.min() }

    /// Checks everything that can be checked without opening the box; nil when the datagram was dropped.
    public mutating func examine(_ bytes: RawSpan, from: Endpoint, now: Instant) -> DatagramHeader? {
        guard bytes.byteCount <= TransportLimit.datagram else { return drop(.malformed) }
        var reader = ByteReader(bytes)
        let header: DatagramHeader
        do throws(WireError) {
            header = try DatagramHeader(parsing: &reader)
        } catch {
            guard error == .invalid("version") else { return drop(.malformed) }
            noteVersion(bytes, from: from)
            return drop(.version)
        }
        guard reader.remaining >= TransportLimit.tag else { return drop(.malformed) }
        guard header.cluster == local.cluster else { return drop(.foreignCluster) }
        guard header.receiver == local.own.node else { return drop(.notForMe) }
        guard header.sender != local.own.node else { return drop(.ownIdentity) }
        guard let peer = peers[header.sender] else { return drop(.unknownSender) }
        guard peer.link(at: from) != nil else { return drop(.unknownAddress) }
        guard acceptedGenerations.contains(header.generation) else { return drop(.unknownGeneration) }
        let wanted = header.kind == .hello ? DatagramHeader.unknownSession : local.own.session
        guard header.receiverSession == wanted else { return drop(.foreignSession) }
        if let reason = sessionFault(header, now: now) { return drop(reason) }
        return header
    }

    private mutating func noteVersion(_ bytes: RawSpan, from: Endpoint) {
        var reader = ByteReader(bytes)
        guard let version = try? reader.readUInt8() else { return }
        // A datagram of this product has at least a header of its time; noise seldom looks like one.
        guard version > 0, version < 16, bytes.byteCount >= DatagramHeader.size,
            let node = peers.first(where: { $0.value.link(at: from) != nil })?.key, toldVersions[node] != version
        else { return }
        toldVersions[node] = version
        untoldVersions[node] = version
    }

    /// Why the sender's session may not say this, if it may not.
    private mutating func sessionFault(_ header: DatagramHeader, now: Instant) -> DropReason? {
        let current = peers[header.sender]?.current
        let isCurrent = current?.session == header.session && current?.incarnation == header.incarnation
        guard header.kind.isHandshake else {
            guard isCurrent, let current else { return .unknownSession }
            return current.window.isFresh(header.counter) ? nil : .replayed
        }
        // Anybody can make headers of sessions that never were, each of which costs a key.
        if !isCurrent, peers[header.sender]?.derivations.take(now: now) != true { return .rateLimited }
        return nil
    }

    /// Counts a datagram whose box did not open.
    public mutating func reject() { counters.drop(.forged) }

    /// Uses a datagram whose box was opened.
    ///
    /// - Parameters:
    ///   - header: What `examine` returned for it.
    ///   - content: The opened bytes.
    ///   - from: Where it came from.
    ///   - now: The time.
    ///   - effects: What it brought about is appended.
    public mutating func accept(
        _ header: DatagramHeader,
        _ content: RawSpan,
        from: Endpoint,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        guard let link = peers[header.sender]?.link(at: from) else {
            counters.drop(.unknownAddress)
            return
        }
        counters.received &+= 1
        if !header.kind.isHandshake {
            peers[header.sender]?.current?.window.mark(header.counter)
            peers[header.sender]?.current?.heard = now
            // Only a peer that accepted this session says anything else than greetings to it.
            peers[header.sender]?.current?.confirmed = true
            heardLink(link, of: header.sender, now: now, into: &effects)
        }
        do throws(WireError) {
            var reader = ByteReader(content)
            switch header.kind {
            case .hello, .answer, .confirm, .refusal:
                let handshake = try HandshakeContent(parsing: &reader)
                acceptHandshake(header, handshake, link: link, now: now, into: &effects)
            case .message: try acceptMessage(header, &reader, link: link, now: now, into: &effects)
            case .part: try acceptPart(header, &reader, link: link, now: now, into: &effects)
            case .missing:
                let missing = try MissingContent(parsing: &reader)
                // Parts that do not arrive may be too large for the path.
                let chosen = peers[header.sender]?.current?.link ?? link
                let size = payload(to: header.sender)
                peers[header.sender]?.links[chosen].path.suspect(now: now)
                peers[header.sender]?.queue.again(missing, size: size)
                pump(header.sender, now: now, into: &effects)
            case .probe: try acceptProbe(header, &reader, link: link, now: now, into: &effects)
            case .probeAnswer: peers[header.sender]?.links[link].path.answered(try ProbeContent(parsing: &reader))
            case .joinRequest, .joinResponse: counters.drop(.malformed)
            }
        } catch {
            counters.drop(.malformed)
        }
    }

    /// Does what is due: greets peers, sends parts, asks for missing ones and gives up what took too long.
    public mutating func tick(now: Instant, into effects: inout TransportEffects) {
        for (node, version) in untoldVersions { effects.events.append(.otherVersion(node, version: version)) }
        untoldVersions.removeAll()
        for node in peers.keys.sorted() {
            greet(node, now: now, into: &effects)
            tendLinks(node, now: now, into: &effects)
            pump(node, now: now, into: &effects)
            tendAssemblies(node, now: now, into: &effects)
        }
    }

    mutating func drop(_ reason: DropReason) -> DatagramHeader? {
        counters.drop(reason)
        return nil
    }

    /// Appends a datagram to a peer under the next counter.
    mutating func emit(
        _ kind: DatagramKind,
        to node: NodeID,
        session: SessionID,
        link: Int,
        _ content: [UInt8],
        into effects: inout TransportEffects
    ) {
        guard let endpoints = peers[node]?.links, endpoints.indices.contains(link) else { return }
        counter += 1
        counters.sent &+= 1
        let header = DatagramHeader(
            kind: kind,
            sender: local.own.node,
            receiver: node,
            generation: sendingGeneration,
            cluster: local.cluster,
            session: local.own.session,
            incarnation: local.own.incarnation,
            receiverSession: session,
            counter: counter
        )
        effects.datagrams.append(
            OutgoingDatagram(header: header, content: content, link: link, endpoint: endpoints[link].endpoint)
        )
    }

    /// A number that no challenge of this session had before.
    mutating func freshChallenge() -> Random128 {
        challengeCount += 1
        return Random128(high: challenges.next(), low: challengeCount)
    }
}
