public import LinuxIO
import Synchronization

/// Carries messages from any thread to one that waits in a loop; bounded, so that a stuck receiver is noticed by the
/// sender and does not fill memory.
public final class Mailbox<Message: Sendable>: Sendable {
    /// Register its descriptor for reading; it is readable while messages wait.
    public let wakeUp: WakeUp
    private let limit: Int
    private let waiting = Mutex<[Message]>([])

    /// Makes an empty mailbox that holds at most `limit` messages.
    public init(limit: Int) throws(SystemError) {
        self.limit = limit
        wakeUp = try WakeUp()
    }

    /// Puts a message in; false when the mailbox is full and the message was dropped.
    public func post(_ message: Message) -> Bool {
        let taken = waiting.withLock { queue in
            guard queue.count < limit else { return false }
            queue.append(message)
            return true
        }
        if taken { wakeUp.ring() }
        return taken
    }

    /// Takes all messages out, in the order in which they came.
    public func takeAll() -> [Message] {
        wakeUp.clear()
        return waiting.withLock { queue in
            defer { queue = [] }
            return queue
        }
    }
}
