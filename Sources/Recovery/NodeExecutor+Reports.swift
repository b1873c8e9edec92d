import ClusterModel

/// When the node's report was made and when it is due again.
struct ReportOutbox: Sendable {
    /// Whether the leader should hear the report now, even an unchanged one.
    var isDue = true
    private(set) var sent: NodeReport?
    private var sentAt: Instant?
    private var sequence: UInt64 = 0

    /// When an unchanged report is repeated.
    var deadline: Instant? { sentAt.map { $0 + ExecutorLimits.reportInterval } }

    /// Whether a report should be made even if nothing changed.
    func wantsOffer(now: Instant) -> Bool { isDue || deadline.map { now >= $0 } ?? true }

    /// Makes the next report differ in number from all before it.
    ///
    /// - Returns: Its number.
    mutating func beginTenure() -> UInt64 {
        isDue = true
        sent = nil
        return sequence + 1
    }

    /// Numbers a report and says whether it is to be sent.
    mutating func offer(_ report: NodeReport, now: Instant) -> NodeReport? {
        var report = report
        report.sequence = sequence
        if report != sent {
            sequence += 1
            report.sequence = sequence
        } else if !wantsOffer(now: now) {
            return nil
        }
        sent = report
        sentAt = now
        isDue = false
        return report
    }
}

extension NodeExecutor {
    /// Sends the leader the whole of what runs here: when it changes, when an answer is due, and every now and then.
    mutating func sendReport(now: Instant, into effects: inout [ExecutorEffect]) {
        let answered = sheet?.number ?? seen
        var report = NodeReport(
            node: node,
            incarnation: incarnation,
            session: session,
            sequence: 0,
            sheetTerm: answered?.term ?? 0,
            sheetSequence: answered?.sequence ?? 0,
            probed: probed,
            version: probedVersion,
            leaving: leaving,
            resources: names.compactMap { cells[$0].flatMap(Self.report) }
        )
        report.devices = devices
        if let report = outbox.offer(report, now: now) { effects.append(.report(report)) }
    }

    private static func report(_ cell: ResourceCell) -> ResourceReport? {
        guard let state = cell.reportedState, state != .stopped || cell.epoch > 0 || cell.wasFound else { return nil }
        var report = ResourceReport(
            resource: cell.resource.name,
            epoch: cell.epoch,
            state: state,
            failures: cell.failures,
            reason: cell.reason
        )
        if cell.wasFound { report.found = true }
        return report
    }
}
