internal import Bytes
public import ClusterModel

/// Messages: whole in one datagram, or in parts.
extension TransportMachine {
    /// Sends a message to a peer in session.
    ///
    /// A heartbeat goes out at once on every link. Any other message goes out at once on the link where the peer was
    /// heard last if a datagram holds it, else in parts, a bounded number in each pass of the loop.
    ///
    /// - Parameters:
    ///   - bytes: The message, at most `TransportLimit.message`; a heartbeat at most `TransportLimit.heartbeat`.
    ///   - messageClass: How it travels.
    ///   - node: To whom.
    ///   - now: The time.
    ///   - effects: What is to be sealed and sent is appended.
    /// - Returns: Whether it was taken.
    public mutating func send(
        _ bytes: [UInt8],
        _ messageClass: MessageClass,
        to node: NodeID,
        now: Instant,
        into effects: inout TransportEffects
    ) -> SendResult {
        guard let peer = peers[node], let current = peer.current else {
            counters.drop(.noSession)
            return .noSession
        }
        if messageClass == .heartbeat {
            guard bytes.count <= TransportLimit.heartbeat else {
                counters.drop(.queueFull)
                return .tooLarge
            }
            sendOnEveryLink(bytes, to: node, peer, current, now: now, into: &effects)
            return .taken
        }
        guard bytes.count <= payload(to: node) else {
            return queue(bytes, messageClass, to: node, now: now, into: &effects)
        }
        let content = [messageClass.rawValue] + bytes
        emit(.message, to: node, session: current.session, link: current.link, content, into: &effects)
        return .taken
    }

    private mutating func sendOnEveryLink(
        _ bytes: [UInt8],
        to node: NodeID,
        _ peer: PeerState,
        _ current: PeerState.Current,
        now: Instant,
        into effects: inout TransportEffects
    ) {
        let number = current.sentNumber + 1
        peers[node]?.current?.sentNumber = number
        for link in peer.links.indices {
            guard let report = peers[node]?.links[link].quality.report(number: number, now: now) else { continue }
            var writer = ByteWriter(capacity: 1 + LinkReport.size + bytes.count)
            writer.write(MessageClass.heartbeat.rawValue)
            report.encode(into: &writer)
            writer.write(bytes)
            emit(.message, to: node, session: current.session, link: link, writer.bytes, into: &effects)
        }
    }

    private mutating func queue(
        _ bytes: [UInt8],
        _ messageClass: MessageClass,
        to node: NodeID,
        now: Instant,
        into effects: inout TransportEffects
    ) -> SendResult {
        guard bytes.count <= TransportLimit.message else {
            counters.drop(.queueFull)
            return .tooLarge
        }
        let size = payload(to: node)
        guard peers[node]?.queue.append(bytes, messageClass, size: size) == true else {
            counters.drop(.queueFull)
            return .queueFull
        }
        pump(node, now: now, into: &effects)
        return .taken
    }

    /// Sends the parts that this pass allows.
    mutating func pump(_ node: NodeID, now: Instant, into effects: inout TransportEffects) {
        guard let current = peers[node]?.current, let parts = peers[node]?.queue.next(now: now) else { return }
        for part in parts {
            var writer = ByteWriter(capacity: PartHeader.size + part.bytes.count)
            part.header.encode(into: &writer)
            writer.write(part.bytes)
            emit(.part, to: node, session: current.session, link: current.link, writer.bytes, into: &effects)
        }
    }

    mutating func acceptMessage(
        _ header: DatagramHeader,
        _ reader: inout ByteReader,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) throws(WireError) {
        guard let messageClass = MessageClass(rawValue: try reader.readUInt8()) else { throw .invalid("class") }
        if messageClass == .heartbeat {
            let report = try LinkReport(parsing: &reader)
            peers[header.sender]?.links[link].quality.take(report, now: now)
            // The copies on other links say the same.
            guard peers[header.sender]?.current?.urgent.note(report.number) == true else { return }
        }
        let bytes = try reader.readBytes(reader.remaining)
        guard bytes.count <= TransportLimit.datagram else { throw .invalid("length") }
        tell(header, messageClass, bytes, link: link, into: &effects)
    }

    private func tell(
        _ header: DatagramHeader,
        _ messageClass: MessageClass,
        _ bytes: [UInt8],
        link: Int,
        into effects: inout TransportEffects
    ) {
        guard let level = peers[header.sender]?.current?.level else { return }
        effects.events.append(.message(from: header.origin, link: link, messageClass, level: level, bytes: bytes))
    }

    mutating func acceptPart(
        _ header: DatagramHeader,
        _ reader: inout ByteReader,
        link: Int,
        now: Instant,
        into effects: inout TransportEffects
    ) throws(WireError) {
        let part = try PartHeader(parsing: &reader)
        let bytes = try reader.readBytes(reader.remaining)
        let slot = Int(part.messageClass.rawValue)
        var abandoned = false
        let outcome = peers[header.sender]?.current?.assemblies[slot].take(part, bytes, now: now, abandoned: &abandoned)
        if abandoned { counters.drop(.abandonedMessage) }
        switch outcome {
        case .complete(let whole): tell(header, part.messageClass, whole, link: link, into: &effects)
        case .stray: counters.drop(.strayPart)
        case .taken, nil: break
        }
    }

    /// Asks for parts that are late and gives up messages that took too long.
    mutating func tendAssemblies(_ node: NodeID, now: Instant, into effects: inout TransportEffects) {
        guard let current = peers[node]?.current else { return }
        for messageClass in MessageClass.allCases where current.assemblies[Int(messageClass.rawValue)].isOpen {
            let slot = Int(messageClass.rawValue)
            if peers[node]?.current?.assemblies[slot].expire(now: now) == true {
                counters.drop(.abandonedMessage)
            } else if let missing = peers[node]?.current?.assemblies[slot].missing(now: now) {
                let content = MissingContent(
                    messageClass: messageClass,
                    message: missing.message,
                    ranges: missing.ranges
                )
                var writer = ByteWriter()
                content.encode(into: &writer)
                emit(.missing, to: node, session: current.session, link: current.link, writer.bytes, into: &effects)
            }
        }
    }
}

extension DatagramHeader {
    /// The session that sent it.
    var origin: PeerSession { PeerSession(node: sender, incarnation: incarnation, session: session) }
}
