import LinuxIO
import Synchronization

/// A bounded queue into the core thread's loop; any thread may put things in and thereby wakes the loop.
final class Inbox<Element: Sendable>: Sendable {
    private struct Queue {
        var elements: [Element] = []
        var dropped = 0
    }

    /// For registering with the loop's poller.
    let wakeUp: WakeUp
    private let queue = Mutex(Queue())
    private let capacity: Int

    init(capacity: Int) throws(SystemError) {
        self.capacity = capacity
        wakeUp = try WakeUp()
    }

    /// Puts something in; false when it is full, and then the element is gone and counted.
    @discardableResult
    func put(_ element: Element) -> Bool {
        let taken = queue.withLock { queue in
            guard queue.elements.count < capacity else {
                queue.dropped += 1
                return false
            }
            queue.elements.append(element)
            return true
        }
        wakeUp.ring()
        return taken
    }

    /// Everything that waits, oldest first.
    func takeAll() -> [Element] {
        wakeUp.clear()
        return queue.withLock { queue in
            let taken = queue.elements
            queue.elements.removeAll(keepingCapacity: true)
            return taken
        }
    }
}
