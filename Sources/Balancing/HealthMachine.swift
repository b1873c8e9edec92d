public import ClusterModel

/// Whether a server is up, from the results of its checks: HAProxy's rise and fall, including how it starts.
///
/// A server counts as up before its first check, and one failed check takes a never-checked server down; after that it
/// takes `fall` failures in a row to go down and `rise` passes in a row to come back.
public struct HealthMachine: Hashable, Sendable {
    /// How soon the next check is wanted.
    public enum Pace: Sendable {
        /// `inter`: nothing is in doubt.
        case steady
        /// `fastinter`: the last results disagree with the state.
        case inTransition
        /// `downinter`: it is down, and nothing speaks for it.
        case down
    }

    /// What a check result changed.
    public enum Transition: Sendable {
        /// It serves again.
        case wentUp
        /// It leaves rotation.
        case wentDown
    }

    private var rise: Int
    private var fall: Int
    /// Below `rise`: down, and how many passes it has; from `rise` on: up, and how many failures it can take.
    private var health: Int

    /// A server that was never checked; both counts are 1 at least.
    public init(rise: Int, fall: Int) {
        self.rise = max(1, rise)
        self.fall = max(1, fall)
        health = self.rise
    }

    /// Whether it serves.
    public var isUp: Bool { health >= rise }

    /// How soon the next check is wanted; a server that was never checked is in doubt.
    public var pace: Pace {
        if isUp { return health == rise + fall - 1 ? .steady : .inTransition }
        return health > 0 ? .inTransition : .down
    }

    /// Takes in a result.
    public mutating func receive(passed: Bool) -> Transition? {
        if passed {
            let wasUp = isUp
            health += 1
            if health >= rise { health = rise + fall - 1 }
            return !wasUp && isUp ? .wentUp : nil
        }
        if health > rise {
            health -= 1
            return nil
        }
        let wasUp = isUp
        health = 0
        return wasUp ? .wentDown : nil
    }

    /// Takes in that clients' traffic had too many errors; what follows from `fastinter` is not up to this machine.
    public mutating func receive(_ reaction: Observation.Reaction) -> Transition? {
        switch reaction {
        case .fastinter: return nil
        case .failCheck: break
        case .suddenDeath: health = min(health, rise + 1)
        case .markDown: health = min(health, rise)
        }
        return receive(passed: false)
    }

    /// Takes over what an earlier process knew.
    public mutating func restore(isUp: Bool) { health = isUp ? rise + fall - 1 : 0 }

    /// What was known is worth nothing: it must pass `rise` checks before it serves again.
    public mutating func distrust() { health = 0 }

    /// Changes the counts and keeps the state.
    public mutating func configure(rise: Int, fall: Int) {
        guard self.rise != max(1, rise) || self.fall != max(1, fall) else { return }
        let wasUp = isUp
        self.rise = max(1, rise)
        self.fall = max(1, fall)
        health = wasUp ? self.rise + self.fall - 1 : 0
    }
}
