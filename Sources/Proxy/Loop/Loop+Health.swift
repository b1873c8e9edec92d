import CLinux
import ProxyControl
import Synchronization

/// What a loop has to do with servers' health: it counts errors, and ends sessions when it is told to.
extension Loop {
    // MARK: Errors

    /// A connection to an observed server stands.
    @inline(__always)
    func noteReached(_ number: Int32) {
        let entry = server(number)
        guard let errors = entry.pointee.errors, !entry.pointee.observesAnswers else { return }
        forgive(errors)
    }

    /// An answer of an observed server has begun.
    @inline(__always)
    mutating func noteAnswer(_ number: Int32, status: Int) {
        let entry = server(number)
        guard let errors = entry.pointee.errors, entry.pointee.observesAnswers else { return }
        // HAProxy counts 501 and 505 as answers: the request was the fault.
        if status >= 500, status != 501, status != 505 { return count(errors, entry) }
        forgive(errors)
    }

    /// A connection attempt failed.
    mutating func noteUnreached(_ number: Int32) {
        let entry = server(number)
        if let errors = entry.pointee.errors { count(errors, entry) }
    }

    /// An answer was broken, or did not come.
    mutating func noteBadAnswer(_ number: Int32) {
        counters.add(.badResponses, server: number)
        let entry = server(number)
        if entry.pointee.observesAnswers, let errors = entry.pointee.errors { count(errors, entry) }
    }

    /// Errors count only in a row; almost always there are none, and nothing is written that others read.
    @inline(__always)
    private func forgive(_ errors: UnsafeMutablePointer<Atomic<UInt32>>) {
        let count = errors.pointee.load(ordering: .relaxed)
        guard count != 0, count < ErrorCounts.mark else { return }
        // Where another loop was faster, its error is the newer one.
        _ = errors.pointee.compareExchange(expected: count, desired: 0, ordering: .relaxed)
    }

    private mutating func count(_ errors: UnsafeMutablePointer<Atomic<UInt32>>, _ entry: UnsafePointer<ServerEntry>) {
        guard errors.pointee.load(ordering: .relaxed) < ErrorCounts.mark else { return }
        let count = errors.pointee.add(1, ordering: .relaxed).newValue
        guard count >= entry.pointee.errorLimit, let table else { return }
        errors.pointee.store(ErrorCounts.mark, ordering: .relaxed)
        var one: UInt64 = 1
        _ = haven_write(table.pointee.alarm, &one, 8)
    }

    // MARK: Sessions

    /// Whether the table that was just taken over ends the server's sessions.
    mutating func isLeft(_ number: Int32, since former: UnsafeMutablePointer<RouteTable>?) -> Bool {
        guard let former, Int(number) < former.pointee.servers.count else { return false }
        // A number that has another owner now, or none, starts at zero again.
        return server(number).pointee.sessions > former.pointee.servers[Int(number)].sessions
    }

    /// Ends what a server does for a client, although it could go on: the client shall go to another one.
    mutating func leave(_ slot: SlotPointer) {
        guard let client = slot.pointee.peer, !moveOrCut(client, slot) else { return }
        guard client.pointee.flags.contains(.replayable), client.pointee.request.base != nil else {
            return answer(client, .serverClosed)
        }
        closeServer(slot)
        redispatch(client)
    }
}
