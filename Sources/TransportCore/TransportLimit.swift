internal import ClusterModel

/// Bounds of the traffic between agents.
public enum TransportLimit {
    /// Bytes of a part of an identity document; joining uses no path that was probed, so it fits one with tunnels.
    public static let payload = 1200
    /// Bytes of a message, or of a part of one, in a datagram that every path carries.
    public static let smallestPayload = PathProbe.payload(of: 0)
    /// Bytes of an urgent message: it fits every path.
    public static let heartbeat = smallestPayload - LinkReport.size
    /// Bytes of a message.
    public static let message = 1 << 20
    /// Parts of a message.
    public static let parts = (message + smallestPayload - 1) / smallestPayload
    /// Bytes of a datagram.
    public static let datagram = PathProbe.sizes.last ?? 0
    /// Bytes that sealing adds.
    public static let tag = 16
    /// Messages that wait for a peer to be sent in parts.
    public static let queuedMessages = 8
    /// Bytes of these messages.
    public static let queuedBytes = 2 * message
    /// Parts sent to a peer in one loop pass.
    public static let partsPerPass = 16
    /// Time between two such passes.
    public static let pace = Duration.milliseconds(1)
    /// How long an incomplete message waits for its next part.
    public static let assemblyQuiet = Duration.seconds(1)
    /// How long a message may take to assemble.
    public static let assemblyTime = Duration.seconds(10)
    /// How long an incomplete message is quiet before its missing parts are asked for.
    public static let missingAfter = Duration.milliseconds(25)
    /// Ranges of parts that one request for missing ones names.
    public static let missingRanges = 64
    /// How long a sent message is kept for such requests.
    public static let keptAfterSending = Duration.seconds(1)
    /// Time between two greetings of a peer that is not in session or is silent.
    public static let helloInterval = Duration.milliseconds(250)
    /// Silence after which a peer in session is greeted again.
    public static let silence = Duration.seconds(1)
    /// How long a challenge may be answered.
    public static let challengeTime = Duration.seconds(5)
    /// Answers to greetings of one peer, a second.
    public static let answersPerSecond: Int64 = 10
    /// Keys derived for sessions of one peer that are not accepted, a second.
    public static let derivationsPerSecond: Int64 = 50
    /// Time between two alarms about the same peer.
    public static let alarmInterval = Duration.seconds(1)
    /// Links of a peer.
    public static let links = 8
    /// Time between two looks at which link is the best.
    public static let choiceInterval = Duration.seconds(1)
    /// How often a link may go down within `flapWindow` before it is held.
    public static let flaps = 3
    /// See `flaps`.
    public static let flapWindow = Duration.seconds(60)
    /// How long a link is held at first; each further fall doubles it.
    public static let shortestHold = Duration.seconds(5)
    /// How long a link is held at most.
    public static let longestHold = Duration.seconds(320)
    /// Time between two rounds of probes on a link.
    public static let probeInterval = Duration.seconds(60)
    /// Time between two looks at whether a silent link can be probed.
    public static let probeRetry = Duration.seconds(1)
    /// How long the answer to a probe may take.
    public static let probePatience = Duration.milliseconds(200)
    /// How often a size is tried in a round.
    public static let probeTries = 3
    /// Answers to probes of one peer, a second.
    public static let probeAnswersPerSecond: Int64 = 200
}
