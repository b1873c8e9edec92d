import Dispatch
import Foundation
import Synchronization

/// Gives numbers out to all processors, one after the other.
enum Workers {
    /// Calls `work` for each number, on as many threads as there are processors, until it says that it is enough.
    ///
    /// - Parameters:
    ///   - numbers: In this order; which thread takes which is left to chance.
    ///   - work: Returns false when no further number is to be given out.
    static func forEach(_ numbers: ClosedRange<UInt64>, _ work: @escaping @Sendable (UInt64) -> Bool) {
        let next = Mutex<UInt64?>(numbers.lowerBound)
        DispatchQueue.concurrentPerform(iterations: count) { _ in
            while true {
                let number = next.withLock { next -> UInt64? in
                    guard let number = next else { return nil }
                    next = number < numbers.upperBound ? number + 1 : nil
                    return number
                }
                guard let number else { return }
                if !work(number) { next.withLock { $0 = nil } }
            }
        }
    }

    /// How many threads work.
    static var count: Int { ProcessInfo.processInfo.activeProcessorCount }
}
