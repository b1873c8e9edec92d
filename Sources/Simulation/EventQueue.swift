/// Events in order of time, and of insertion among equals.
///
/// A heap of small keys; the events themselves, which may be large, stay in their places until they are due.
struct EventQueue<Event: Sendable>: Sendable {
    private struct Key: Sendable {
        let time: TrueTime
        let order: UInt64
        let place: Int

        func precedes(_ other: Key) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    private var heap: [Key] = []
    private var events: [Event?] = []
    private var free: [Int] = []
    private var inserted: UInt64 = 0

    var nextTime: TrueTime? { heap.first?.time }

    mutating func insert(_ event: consuming Event, at time: TrueTime) {
        let place: Int
        if let last = free.popLast() {
            place = last
            events[place] = event
        } else {
            place = events.count
            events.append(event)
        }
        let key = Key(time: time, order: inserted, place: place)
        inserted += 1
        heap.append(key)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard key.precedes(heap[parent]) else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = key
    }

    mutating func popFirst() -> (time: TrueTime, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty { sink(last) }
        guard let event = events[first.place].take() else { return nil }
        free.append(first.place)
        return (first.time, event)
    }

    /// Fills the place of the first with another.
    private mutating func sink(_ key: Key) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(key) else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = key
    }
}
