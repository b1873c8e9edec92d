/// Deadlines of slots, in ticks of 10 ms, without allocation.
///
/// Most deadlines are only ever moved back, which costs a store: the wheel looks when it comes by and puts the slot on
/// again. Deadlines beyond the wheel's turn are put on at its end and looked at once per turn.
struct TimerWheel {
    static let tickMilliseconds: Int64 = 10
    private static let buckets = 1024
    private static let reach: Int64 = 1000

    private let heads: UnsafeMutablePointer<SlotPointer?>
    private let occupied: UnsafeMutablePointer<UInt64>
    private var firing: SlotPointer?
    private var tick: Int64

    init(now: Int64) {
        heads = .allocate(capacity: Self.buckets)
        heads.initialize(repeating: nil, count: Self.buckets)
        occupied = .allocate(capacity: Self.buckets / 64)
        occupied.initialize(repeating: 0, count: Self.buckets / 64)
        tick = now / Self.tickMilliseconds
    }

    func destroy() {
        heads.deallocate()
        occupied.deallocate()
    }

    /// Sets when a slot is to be looked at; `Int64.max` for never.
    mutating func set(_ slot: SlotPointer, _ deadline: Int64) {
        slot.pointee.deadline = deadline
        guard deadline != Int64.max else { return }
        if slot.pointee.timerTick >= 0 {
            if slot.pointee.timerTick * Self.tickMilliseconds <= deadline + Self.tickMilliseconds { return }
            remove(slot)
        }
        insert(slot)
    }

    /// Takes a slot off.
    mutating func remove(_ slot: SlotPointer) {
        guard slot.pointee.timerTick >= 0 else { return }
        let next = slot.pointee.timerNext
        let previous = slot.pointee.timerPrevious
        next?.pointee.timerPrevious = previous
        if let previous {
            previous.pointee.timerNext = next
        } else if firing == slot {
            firing = next
        } else {
            let bucket = Int(slot.pointee.timerTick) & (Self.buckets - 1)
            heads[bucket] = next
            if next == nil { occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63)) }
        }
        slot.pointee.timerTick = -1
        slot.pointee.timerNext = nil
        slot.pointee.timerPrevious = nil
    }

    private mutating func insert(_ slot: SlotPointer) {
        let wanted = (slot.pointee.deadline + Self.tickMilliseconds - 1) / Self.tickMilliseconds
        let at = min(max(wanted, tick + 1), tick + Self.reach)
        let bucket = Int(at) & (Self.buckets - 1)
        let head = heads[bucket]
        slot.pointee.timerTick = at
        slot.pointee.timerPrevious = nil
        slot.pointee.timerNext = head
        head?.pointee.timerPrevious = slot
        heads[bucket] = slot
        occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
    }

    /// The next slot whose deadline has passed, taken off the wheel; nil when there is none (any more).
    mutating func next(now: Int64) -> SlotPointer? {
        let target = now / Self.tickMilliseconds
        while true {
            while let slot = firing {
                remove(slot)
                if slot.pointee.deadline <= now { return slot }
                if slot.pointee.deadline != Int64.max { insert(slot) }
            }
            guard tick < target else { return nil }
            // After a long stall every bucket is looked at once; that covers all ticks in between.
            if target - tick > Int64(Self.buckets) { tick = target - Int64(Self.buckets) }
            tick += 1
            let bucket = Int(tick) & (Self.buckets - 1)
            firing = heads[bucket]
            heads[bucket] = nil
            occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63))
        }
    }

    /// When the wheel must be looked at next, in milliseconds of the same clock; nil when it is empty.
    func nextLook() -> Int64? {
        let words = Self.buckets / 64
        let start = Int(tick + 1) & (Self.buckets - 1)
        // The first word twice: once from `start` on, once at the end up to it.
        for step in 0...words {
            let index = ((start >> 6) + step) % words
            var word = occupied[index]
            if step == 0 { word &= ~0 << UInt64(start & 63) }
            if word == 0 { continue }
            let bucket = (index << 6) + word.trailingZeroBitCount
            return (tick + 1 + Int64((bucket - start + Self.buckets) & (Self.buckets - 1))) * Self.tickMilliseconds
        }
        return nil
    }
}
