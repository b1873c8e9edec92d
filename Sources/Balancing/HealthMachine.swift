/// Whether a server is up, from the results of its checks: HAProxy's rise and fall, including how it starts.
///
/// A server counts as up before its first check, and one failed check takes a never-checked server down; after that it
/// takes `fall` failures in a row to go down and `rise` passes in a row to come back.
public struct HealthMachine: Hashable, Sendable {
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

    /// Whether the last result disagreed with the state, so that the next one matters more.
    public var isInTransition: Bool { isUp ? health < rise + fall - 1 : health > 0 }

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
