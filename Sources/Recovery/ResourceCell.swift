import ClusterModel

/// One resource on one node, as its executor knows it.
struct ResourceCell: Sendable {
    /// The resource as it was started last, or as it would be started.
    var resource: Resource
    /// What the executor knows of it.
    var phase = Phase.unprobed
    /// The operation that runs; every resource has one at most.
    var operation: RunningOperation?
    /// The epoch under which it was started last; 0 for what was found running.
    var epoch: Epoch = 0
    /// The highest epoch that was stopped here: never started again.
    var floor: Epoch = 0
    /// The epoch under which it shall run; nil when it shall not.
    var wanted: Epoch?
    /// Whether it ran when the agent looked, and has not been started since.
    var wasFound = false
    /// Whether the epoch it runs under is void: it is stopped whatever is ordered.
    var isVoid = false
    /// Failures under `epoch`, and what the newest said.
    var failures = 0
    var reason = ""
    /// Failures in a row that decide about the next pause.
    var repetition = 0
    /// When it began to run; nil while it does not.
    var runningSince: Instant?
    /// The operation that started it.
    var startedBy: UInt64 = 0
    /// When it is looked at next; nil for never.
    var nextMonitorAt: Instant?
    /// Stops that failed in a row.
    var failedStops = 0
    /// Whether the kill is done and only the look at its success is left.
    var isVerifying = false

    init(resource: Resource) { self.resource = resource }

    /// What is known of a resource.
    enum Phase: Hashable, Sendable {
        /// Not looked at since the agent started.
        case unprobed
        /// It was found running, and the leader says whether it is left alone.
        case found
        /// Verified not running.
        case stopped
        /// Stopped after a failure that this node does not repair by itself.
        case failed
        /// A start is under way.
        case starting
        /// Stopped, to be started again under the same epoch then.
        case pausing(until: Instant)
        /// It runs.
        case running
        /// A stop is under way.
        case stopping(AfterStop)
        /// Its stop failed and it is being killed, then looked at.
        case killing(AfterStop)
        /// Whether it runs is not known; its stop is tried again then.
        case unknown(retryAt: Instant)
    }

    /// What follows a stop.
    enum AfterStop: Hashable, Sendable {
        /// Nothing: the stop was wanted.
        case rest
        /// The leader decides: a start failed.
        case fail
        /// A start under the same epoch, if that is still wanted.
        case restart
    }

    /// The operation that runs.
    struct RunningOperation: Hashable, Sendable {
        var id: UInt64
        var kind: OperationKind
        /// When it counts as timed out though nobody said so.
        var until: Instant
        var isCancelled = false
    }

    /// Whether it may run under an epoch that is ordered and valid.
    var isWanted: Bool {
        guard let wanted, !isVoid else { return false }
        return wanted > floor && wanted >= epoch
    }

    /// Whether nothing of it is left here.
    var isDown: Bool {
        switch phase {
        case .stopped, .failed, .pausing: true
        case .unprobed, .found, .starting, .running, .stopping, .killing, .unknown: false
        }
    }

    /// How its state is told to the leader; nil while it is not known.
    var reportedState: ResourceRunState? {
        switch phase {
        case .unprobed: nil
        case .stopped: .stopped
        case .failed: .failed
        case .starting, .pausing: .starting
        case .running, .found: .running
        // A stop that failed leaves it in doubt until one succeeds.
        case .stopping where failedStops > 0, .killing where failedStops > 0: .unknown
        case .stopping(.restart): isWanted ? .starting : .stopping
        case .stopping, .killing: .stopping
        case .unknown: .unknown
        }
    }

    /// Whether it is about to be stopped or being stopped for good.
    var isLeaving: Bool { !isDown && phase != .unprobed && !isWanted }

    /// The number of the epoch is over: nothing is ever started under it here again.
    mutating func close(_ phase: Phase) {
        self.phase = phase
        floor = max(floor, epoch)
        isVoid = false
        runningSince = nil
        nextMonitorAt = nil
    }

    mutating func fail(_ reason: String) {
        failures += 1
        self.reason = String(reason.prefix(RecoveryLimits.longestReason))
    }
}
