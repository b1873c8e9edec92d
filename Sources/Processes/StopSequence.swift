public import ClusterModel

/// How a process group is stopped, as data: signals, and how long each is given.
public struct StopSequence: Hashable, Sendable {
    /// A signal, and the time after it until the next step.
    public struct Step: Hashable, Sendable {
        /// The signal's number.
        public let signal: Int32
        /// How long the processes have to end before the next step.
        public let patience: Duration

        /// Names a signal and its time.
        public init(signal: Int32, patience: Duration) {
            self.signal = signal
            self.patience = patience
        }
    }

    /// The steps in order.
    public let steps: [Step]

    /// A sequence of own steps; after the last one nothing more is tried.
    public init(_ steps: [Step]) { self.steps = steps }

    /// SIGTERM, and after `grace` SIGKILL.
    public static func terminate(grace: Duration) -> StopSequence {
        StopSequence([Step(signal: 15, patience: grace), Step(signal: 9, patience: .zero)])
    }

    /// SIGKILL at once.
    public static let kill = StopSequence([Step(signal: 9, patience: .zero)])
}

/// A stop sequence under way: says which signal is due and when to ask again.
///
/// It knows no process.
public struct StopProgress: Hashable, Sendable {
    private var rest: ArraySlice<StopSequence.Step>

    /// When the next signal is due; nil when all were handed out.
    public private(set) var nextDeadline: Instant?

    /// Starts a sequence; its first signal is due now.
    public init(_ sequence: StopSequence, now: Instant) {
        rest = sequence.steps[...]
        nextDeadline = rest.isEmpty ? nil : now
    }

    /// The signal to send now, or nil when none is due; a caller that slept through several steps gets the last.
    public mutating func signal(now: Instant) -> Int32? {
        var due: Int32?
        while let deadline = nextDeadline, now >= deadline, let step = rest.popFirst() {
            due = step.signal
            nextDeadline = rest.isEmpty ? nil : deadline + step.patience
        }
        return due
    }
}
