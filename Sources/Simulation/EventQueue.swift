/// Events in order of time, and of insertion among equals: a binary heap.
struct EventQueue<Event: Sendable>: Sendable {
    private struct Item: Sendable {
        let time: TrueTime
        let order: UInt64
        let event: Event

        func precedes(_ other: Item) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    private var items: [Item] = []
    private var inserted: UInt64 = 0

    var nextTime: TrueTime? { items.first?.time }

    mutating func insert(_ event: Event, at time: TrueTime) {
        items.append(Item(time: time, order: inserted, event: event))
        inserted += 1
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].precedes(items[parent]) else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (time: TrueTime, event: Event)? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        if !items.isEmpty {
            items[0] = last
            sink()
        }
        return (first.time, first.event)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                if items[child].precedes(items[least]) { least = child }
            }
            guard least != parent else { return }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
