internal import Bytes
import ClusterModel

/// Finds how large a datagram may be on one link, by sending probes of several sizes that must not be fragmented.
///
/// Nothing that routers say is believed or needed: a size counts once the peer has answered a probe of it, and no more
/// once repeated probes of it stay without an answer while the link carries heartbeats (a black hole).
struct PathProbe: Sendable {
    /// Bytes of datagrams that are tried: the least that every path carries; the least of IPv6; with a tunnel around;
    /// Ethernet with VXLAN, with IPv6, with IPv4; 4 KiB; jumbo frames.
    static let sizes = [508, 1232, 1372, 1402, 1452, 1472, 3952, 8952]

    /// The largest size that works, by position in `sizes`.
    private(set) var confirmed = 0
    private var round: Round?
    private var lastRound: UInt32 = 0
    /// When the next round begins by itself.
    private var nextRound: Instant = .zero

    private struct Round {
        var best = 0
        var tries = 0
        var nextTry: Instant
    }

    /// Bytes of a message, or of a part of one, that fit a datagram of a size.
    static func payload(of position: Int) -> Int {
        sizes[position] - DatagramHeader.size - PartHeader.size - TransportLimit.tag
    }

    var payload: Int { Self.payload(of: confirmed) }

    var deadline: Instant { round?.nextTry ?? nextRound }

    /// Asks for a round as soon as possible: a session began, or parts do not arrive.
    mutating func suspect(now: Instant) {
        if round == nil { nextRound = min(nextRound, now + TransportLimit.pace) }
    }

    /// The first round of a session.
    mutating func beginSession(now: Instant) {
        round = nil
        nextRound = now + TransportLimit.pace
    }

    /// Goes on with a round, or begins one.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - isHeard: Whether the link carries anything; only then does silence say something about a size.
    /// - Returns: What to send now: the round's number and the sizes, by position.
    mutating func tick(now: Instant, isHeard: Bool) -> (round: UInt32, positions: [Int])? {
        if var open = round {
            guard now >= open.nextTry else { return nil }
            if open.tries >= TransportLimit.probeTries || open.best == Self.sizes.count - 1 || !isHeard {
                if isHeard { confirmed = open.best }
                round = nil
                nextRound = now + (isHeard ? TransportLimit.probeInterval : TransportLimit.probeRetry)
                return nil
            }
            open.tries += 1
            open.nextTry = now + TransportLimit.probePatience
            round = open
            return (lastRound, Array(open.best + 1..<Self.sizes.count))
        }
        guard now >= nextRound else { return nil }
        guard isHeard else {
            nextRound = now + TransportLimit.probeRetry
            return nil
        }
        lastRound += 1
        round = Round(tries: 1, nextTry: now + TransportLimit.probePatience)
        return (lastRound, Array(1..<Self.sizes.count))
    }

    /// The peer has received a probe.
    mutating func answered(_ answer: ProbeContent) {
        guard let open = round, answer.round == lastRound, Int(answer.position) < Self.sizes.count else { return }
        round?.best = max(open.best, Int(answer.position))
        confirmed = max(confirmed, Int(answer.position))
    }
}

/// What a probe says, before its padding, and what its answer says.
struct ProbeContent: Hashable {
    static let size = 5

    var round: UInt32
    /// Which of `PathProbe.sizes` the probe has.
    var position: UInt8

    func encode(into writer: inout ByteWriter) {
        writer.write(round)
        writer.write(position)
    }

    init(round: UInt32, position: UInt8) {
        self.round = round
        self.position = position
    }

    init(parsing reader: inout ByteReader) throws(WireError) {
        round = try reader.readUInt32()
        position = try reader.readUInt8()
        guard position > 0, Int(position) < PathProbe.sizes.count else { throw .invalid("probe") }
    }
}
