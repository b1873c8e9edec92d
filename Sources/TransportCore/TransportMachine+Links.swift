internal import Bytes
internal import ClusterModel

/// Which links work, which of them is used, and how much fits on it.
extension TransportMachine {
    /// Something authentic of the peer's present session came on a link.
    mutating func heardLink(_ link: Int, of node: NodeID, now: Instant, into effects: inout TransportEffects) {
        peers[node]?.links[link].heard = now
        guard peers[node]?.links[link].isUp == false else { return }
        peers[node]?.links[link].isUp = true
        peers[node]?.links[link].path.suspect(now: now)
        effects.events.append(.link(node, link, isUp: true))
        chooseLink(to: node, now: now)
    }

    /// Notices silence, chooses the best link, and goes on finding out what fits.
    mutating func tendLinks(_ node: NodeID, now: Instant, into effects: inout TransportEffects) {
        guard let peer = peers[node], let current = peer.current else { return }
        var isChanged = false
        for (index, link) in peer.links.enumerated() {
            if link.isUp, now >= (link.heard ?? .zero) + linkSilence {
                peers[node]?.links[index].isUp = false
                peers[node]?.links[index].damping.wentDown(now: now)
                effects.events.append(.link(node, index, isUp: false))
                isChanged = true
            }
            probe(node, index, session: current.session, now: now, into: &effects)
        }
        if isChanged || now >= peer.nextChoice { chooseLink(to: node, now: now) }
    }

    /// Keeps the present link unless another is better by more than a matter of luck.
    mutating func chooseLink(to node: NodeID, now: Instant) {
        guard let peer = peers[node], let chosen = peer.current?.link else { return }
        peers[node]?.nextChoice = now + TransportLimit.choiceInterval
        let ranks = peer.links.map { $0.rank(now: now) }
        guard ranks.indices.contains(chosen), let best = ranks.indices.min(by: { ranks[$0] < ranks[$1] }) else {
            return
        }
        let (own, other) = (ranks[chosen], ranks[best])
        let isBetter =
            other.0 < own.0 || other.0 == own.0 && (other.1 < own.1 || other.1 == own.1 && other.2 < own.2 / 2)
        if isBetter { peers[node]?.current?.link = best }
    }

    /// Bytes that fit a datagram on the link that is used now.
    func payload(to node: NodeID) -> Int {
        guard let peer = peers[node], let link = peer.current?.link, peer.links.indices.contains(link) else {
            return TransportLimit.smallestPayload
        }
        return peer.links[link].path.payload
    }

    private mutating func probe(
        _ node: NodeID,
        _ link: Int,
        session: SessionID,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        guard let isHeard = peers[node]?.links[link].isUp,
            let round = peers[node]?.links[link].path.tick(now: now, isHeard: isHeard)
        else { return }
        for position in round.positions {
            let room = PathProbe.sizes[position] - DatagramHeader.size - TransportLimit.tag - ProbeContent.size
            var writer = ByteWriter(capacity: ProbeContent.size + room)
            ProbeContent(round: round.round, position: UInt8(position)).encode(into: &writer)
            writer.write(repeatElement(0, count: room))
            emit(.probe, to: node, session: session, link: link, writer.bytes, into: &effects)
        }
    }

    mutating func acceptProbe(
        _ header: DatagramHeader,
        _ reader: inout ByteReader,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) throws(WireError) {
        let content = try ProbeContent(parsing: &reader)
        // A sender's word about the size is not needed: what arrived has it.
        guard
            reader.remaining + ProbeContent.size + DatagramHeader.size + TransportLimit.tag
                == PathProbe.sizes[Int(content.position)]
        else { throw .invalid("probe") }
        guard peers[header.sender]?.probeAnswers.take(now: now) == true else {
            counters.drop(.rateLimited)
            return
        }
        var writer = ByteWriter(capacity: ProbeContent.size)
        content.encode(into: &writer)
        emit(.probeAnswer, to: header.sender, session: header.session, link: link, writer.bytes, into: &effects)
    }
}
