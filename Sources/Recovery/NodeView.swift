import ClusterModel

/// What the leader knows of one node.
struct NodeView {
    /// Nil until the shell has told it.
    var liveness: NodeLiveness?
    /// The session that was heard without a lease last, and since when; nil while it holds one.
    ///
    /// Being lost in between ends nothing: one that is heard, gets no lease and counts as lost as soon as it is given
    /// something would be given it again and again.
    private var leaseless: (session: SessionID, since: Instant)?
    /// Since when it is lost; nil while it is not.
    private(set) var lostSince: Instant?
    /// The newest report of the newest session.
    private(set) var report: NodeReport?
    private var reported: [ResourceName: ResourceReport] = [:]
    /// The newest orders that were sent to the newest session.
    var sent: SentSheet?

    /// The incarnation and session that are heard now.
    var present: (incarnation: Incarnation, session: SessionID)? {
        guard case .alive(let incarnation, let session, _) = liveness else { return nil }
        return (incarnation, session)
    }

    /// Since when it has been heard without a lease; nil while it holds one.
    var leaselessSince: Instant? { leaseless?.since }

    var isLost: Bool {
        if case .lost = liveness { return true }
        return false
    }

    var holdsLease: Bool {
        if case .alive(_, _, true) = liveness { return true }
        return false
    }

    mutating func hear(_ new: NodeLiveness, now: Instant) {
        let before = present
        liveness = new
        lostSince = isLost ? lostSince ?? now : nil
        guard case .alive(let incarnation, let session, let holdsLease) = new else { return }
        if holdsLease {
            leaseless = nil
        } else if leaseless?.session != session {
            leaseless = (session, now)
        }
        if let report, report.session != session || report.incarnation != incarnation { forgetReport() }
        if before?.session != session, sent?.sheet.session != session { sent = nil }
    }

    /// Takes a report if it is of the session that is heard and not older than the one known.
    ///
    /// - Returns: Whether it says anything new.
    mutating func take(_ new: NodeReport) -> Bool {
        guard let present, new.incarnation == present.incarnation, new.session == present.session else { return false }
        if let report, report.sequence >= new.sequence { return false }
        guard new.resources.count <= RecoveryLimits.mostResources else { return false }
        report = new
        reported = Dictionary(new.resources.map { ($0.resource, $0) }, uniquingKeysWith: { _, last in last })
        if let sent { self.sent?.answered = new.answers(sent.sheet) }
        return true
    }

    /// What the newest report says of a resource.
    func report(of resource: ResourceName) -> ResourceReport? { reported[resource] }

    private mutating func forgetReport() {
        report = nil
        reported = [:]
    }
}

/// Orders that were sent.
struct SentSheet {
    var sheet: OrderSheet
    var at: Instant
    var answered: Bool
}

extension NodeReport {
    /// Whether it was made by a node that follows that sheet.
    func answers(_ sheet: OrderSheet) -> Bool {
        session == sheet.session && sheetTerm == sheet.term && sheetSequence == sheet.sequence
    }
}
