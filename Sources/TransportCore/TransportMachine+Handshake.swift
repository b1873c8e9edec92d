internal import Bytes
internal import ClusterModel

/// Sessions: greeting, proof of freshness, and refusal of outdated or copied identities.
extension TransportMachine {
    mutating func greet(_ node: NodeID, now: Instant, into effects: inout TransportEffects) {
        guard let peer = peers[node], now >= peer.helloDue() else { return }
        peers[node]?.nextHello = now + TransportLimit.helloInterval
        let content = encode(
            HandshakeContent(
                challenge: openChallenge(to: node, now: now),
                echo: .init(high: 0, low: 0),
                levels: levels
            )
        )
        for link in peer.links.indices {
            emit(.hello, to: node, session: DatagramHeader.unknownSession, link: link, content, into: &effects)
        }
    }

    mutating func acceptHandshake(
        _ header: DatagramHeader,
        _ content: HandshakeContent,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        switch header.kind {
        case .hello: answer(header, content, link: link, now: now, into: &effects)
        case .answer:
            guard echoes(content, from: header.sender, now: now) else { return }
            admit(header, content, link: link, now: now, into: &effects)
            guard session(of: header.sender)?.session == header.session else { return }
            let reply = HandshakeContent(
                challenge: openChallenge(to: header.sender, now: now),
                echo: content.challenge,
                levels: levels
            )
            emit(.confirm, to: header.sender, session: header.session, link: link, encode(reply), into: &effects)
        case .confirm:
            if isCurrent(header) {
                // It comes only from a peer that accepted this session; its echo may be used up by a crossing answer.
                peers[header.sender]?.current?.confirmed = true
                return
            }
            guard echoes(content, from: header.sender, now: now) else { return }
            admit(header, content, link: link, now: now, into: &effects)
            if isCurrent(header) { peers[header.sender]?.current?.confirmed = true }
        case .refusal:
            guard let reason = RefusalReason(rawValue: content.reason) else {
                counters.drop(.malformed)
                return
            }
            guard echoes(content, from: header.sender, now: now) else { return }
            effects.events.append(.refused(by: header.sender, reason))
        case .message, .part, .missing, .probe, .probeAnswer, .joinRequest, .joinResponse: counters.drop(.malformed)
        }
    }

    private mutating func answer(
        _ header: DatagramHeader,
        _ content: HandshakeContent,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        guard peers[header.sender]?.answers.take(now: now) == true else {
            counters.drop(.rateLimited)
            return
        }
        let reply = HandshakeContent(
            challenge: openChallenge(to: header.sender, now: now),
            echo: content.challenge,
            levels: levels
        )
        emit(.answer, to: header.sender, session: header.session, link: link, encode(reply), into: &effects)
    }

    /// Accepts a session that has just proven to be alive, unless its identity is outdated or a copy, or no level of the
    /// protocol is spoken on both sides.
    private mutating func admit(
        _ header: DatagramHeader,
        _ content: HandshakeContent,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        guard var peer = peers[header.sender] else { return }
        let claimed = PeerSession(node: header.sender, incarnation: header.incarnation, session: header.session)
        let level = levels.common(with: content.levels)
        if isCurrent(header), level != nil { return }
        var fault: RefusalReason?
        if header.incarnation < peer.knownIncarnation { fault = .olderIncarnation }
        if let current = peer.current, current.incarnation == header.incarnation, !isCurrent(header) {
            fault = .otherSession
        }
        if let fault {
            refuse(claimed, fault, echo: content.challenge, link: link, now: now, into: &effects)
            return
        }
        guard let level else {
            noteForeign(content.levels, of: header.sender, into: &effects)
            return
        }
        peer.knownIncarnation = header.incarnation
        peer.foreignLevels = nil
        peer.current = PeerState.Current(
            incarnation: header.incarnation,
            session: header.session,
            level: level,
            heard: now,
            link: link
        )
        // A challenge proves one session; the next one has to echo another.
        peer.challenge = nil
        peer.queue.removeAll()
        peer.nextChoice = now + TransportLimit.choiceInterval
        for index in peer.links.indices { peer.links[index].beginSession(now: now) }
        peers[header.sender] = peer
        effects.events.append(.session(claimed, level: level))
    }

    /// It is alive and authentic, and must be upgraded, or this node; it goes on being greeted, as it learns so, too.
    private mutating func noteForeign(_ offer: LevelOffer, of node: NodeID, into effects: inout TransportEffects) {
        counters.drop(.noCommonLevel)
        // An answer to one challenge is counted once; and what spoke here before is over.
        peers[node]?.challenge = nil
        peers[node]?.current = nil
        peers[node]?.queue.removeAll()
        guard peers[node]?.foreignLevels != offer else { return }
        peers[node]?.foreignLevels = offer
        effects.events.append(.noCommonLevel(node, offer))
    }

    private mutating func refuse(
        _ claimed: PeerSession,
        _ reason: RefusalReason,
        echo: Random128,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        counters.drop(.refusedIdentity)
        guard let peer = peers[claimed.node] else { return }
        peers[claimed.node]?.challenge = nil
        if let last = peer.lastAlarm, now < last + TransportLimit.alarmInterval { return }
        peers[claimed.node]?.lastAlarm = now
        let known = peer.knownIncarnation
        effects.events.append(.identityConflict(claimed: claimed, knownIncarnation: known, reason))
        let content = HandshakeContent(
            challenge: .init(high: 0, low: 0),
            echo: echo,
            reason: reason.rawValue,
            levels: levels
        )
        emit(.refusal, to: claimed.node, session: claimed.session, link: link, encode(content), into: &effects)
    }

    private func isCurrent(_ header: DatagramHeader) -> Bool {
        let current = peers[header.sender]?.current
        return current?.session == header.session && current?.incarnation == header.incarnation
    }

    /// Whether the peer echoes the open challenge; counted when it does not.
    private mutating func echoes(_ content: HandshakeContent, from node: NodeID, now: Instant) -> Bool {
        guard let challenge = peers[node]?.challenge, now < challenge.made + TransportLimit.challengeTime,
            challenge.value == content.echo
        else {
            counters.drop(.staleEcho)
            return false
        }
        return true
    }

    /// The peer's open challenge: the last one while it is young, so that crossing greetings do not void each other.
    private mutating func openChallenge(to node: NodeID, now: Instant) -> Random128 {
        if let open = peers[node]?.challenge, now - open.made < TransportLimit.challengeTime / 2 { return open.value }
        let value = freshChallenge()
        peers[node]?.challenge = PeerState.Challenge(value: value, made: now)
        return value
    }

    private func encode(_ content: HandshakeContent) -> [UInt8] {
        var writer = ByteWriter(capacity: HandshakeContent.size)
        content.encode(into: &writer)
        return writer.bytes
    }
}
