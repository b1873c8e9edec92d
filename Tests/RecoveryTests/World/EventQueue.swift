import ClusterModel

/// Things that will happen, in the order of their times and, at one time, of their making.
struct EventQueue {
    private var heap: [Event] = []
    private var made: UInt64 = 0

    struct Event {
        let at: Instant
        let number: UInt64
        let action: (World) -> Void
    }

    mutating func add(at: Instant, _ action: @escaping (World) -> Void) {
        made += 1
        heap.append(Event(at: at, number: made, action: action))
        var child = heap.count - 1
        while child > 0, Self.isEarlier(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    var nextTime: Instant? { heap.first?.at }

    mutating func take() -> Event? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if Self.isEarlier(heap[child], heap[least]) { least = child }
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private static func isEarlier(_ left: Event, _ right: Event) -> Bool {
        left.at == right.at ? left.number < right.number : left.at < right.at
    }
}
