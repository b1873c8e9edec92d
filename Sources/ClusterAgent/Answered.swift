import AdminAPI
import Synchronization

/// Gives a waiting task its answer, and only the first one.
final class Answered: Sendable {
    private let continuation: Mutex<CheckedContinuation<AdminResponse, Never>?>

    init(_ continuation: CheckedContinuation<AdminResponse, Never>) { self.continuation = Mutex(continuation) }

    func give(_ response: AdminResponse) {
        let waiting = continuation.withLock { $0.take() }
        waiting?.resume(returning: response)
    }
}
