/// What a core inside of this one wants done, first things first.
///
/// To carry one effect out may let that core be asked again, inside of the same call; what it wants then stands behind
/// what it wanted before.
struct EffectQueue<Effect: Sendable>: Sendable {
    /// New ones are appended.
    var effects: [Effect] = []
    /// How many of them were handed out.
    private var done = 0
    private var isUnderWay = false

    /// Whether the caller has to carry them out; nobody else does until it has got them all.
    mutating func begin() -> Bool {
        if isUnderWay { return false }
        isUnderWay = true
        return true
    }

    /// Hands out the next one; nil when there is none left, which ends what `begin` began.
    mutating func next() -> Effect? {
        guard done < effects.count else {
            forget()
            isUnderWay = false
            return nil
        }
        done += 1
        return effects[done - 1]
    }

    /// Nobody wants them any more.
    mutating func forget() {
        effects.removeAll(keepingCapacity: true)
        done = 0
    }
}
