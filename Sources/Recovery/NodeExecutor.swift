public import ClusterModel
import Placement

/// What one node does about its orders: it turns the newest sheet of its leader into operations of its runner.
///
/// It believes nothing but its own lease: without one it obeys no sheet and stops whatever needs one, and what a lease
/// covered is over with it, even when the lease is renewed a moment later (F5). What happens between resources of one
/// node — what must run together is started in order and stopped in reverse — it decides by itself, so that a
/// failover costs no more round trips than one resource needs.
public struct NodeExecutor: Sendable {
    /// The node.
    public let node: NodeID
    /// Its incarnation.
    public let incarnation: Incarnation
    /// Its session.
    public let session: SessionID
    /// When the next `tick` is due.
    public internal(set) var nextDeadline: Instant?
    /// How many sheets were refused, for the operator.
    public internal(set) var refusedSheets = 0

    /// Mistakes for the simulation to find.
    package var faults = RecoveryFaults()
    var configuration: ClusterConfiguration?
    var version: ConfigurationVersion = 0
    var graph: ColocationGraph?
    /// What the present sheet wants left alone.
    var left: Set<ResourceName> = []
    var cells: [ResourceName: ResourceCell] = [:]
    /// The names of `cells` in order, so that effects are.
    var names: [ResourceName] = []
    var lease: Lease?
    /// When the last lease ended, while something runs on without one.
    var leaselessSince: Instant?
    /// The sheet that is followed; nil since the last lease ended.
    var sheet: OrderSheet?
    /// A sheet of a newer term than the present lease, to be followed when the lease is renewed in that term.
    var held: OrderSheet?
    /// The newest sheet that came while there was no lease: not followed, but nothing older will be.
    var seen: SheetNumber?
    /// The newest sheet ever followed or seen: an older one is refused.
    var newest = SheetNumber(term: 0, sequence: 0)
    /// The report that was made when the present lease began; see `OrderSheet.answers`.
    var tenure: UInt64 = 0
    var probed = false
    var probedVersion: ConfigurationVersion = 0
    var leaving = false
    /// Whether everything here is left to the operator, or else what of it.
    var isInMaintenance = false
    var unmanaged: Set<ResourceName> = []
    var nextOperation: UInt64 = 1
    var outbox: ReportOutbox
    /// What this node knows of fence devices; it only goes into reports.
    var devices: DeviceChecks?
    /// When something of a resource is due.
    var cellDeadline: Instant?

    /// Begins with nothing known of what runs here.
    public init(node: NodeID, incarnation: Incarnation, session: SessionID) {
        self.node = node
        self.incarnation = incarnation
        self.session = session
        outbox = ReportOutbox()
    }

    /// Takes one input and says what to do about it.
    ///
    /// - Parameters:
    ///   - input: What happened.
    ///   - now: The present moment; never earlier than in the call before.
    ///   - effects: What to do, appended in order.
    public mutating func receive(_ input: ExecutorInput, now: Instant, into effects: inout [ExecutorEffect]) {
        var changed = false
        // Whatever comes in, it comes in after the lease ended: the order in which the shell noticed must not matter.
        if let lease, now >= lease.until {
            endLease(now: now, into: &effects)
            changed = true
        }
        if let leaselessSince, now >= leaselessSince + ExecutorLimits.noQuorumPatience {
            endPatience(into: &effects)
            changed = true
        }
        switch input {
        case .sheet(let sheet, _): changed = take(sheet) || changed
        case .lease(let until, let term): changed = takeLease(until, term: term, now: now, into: &effects) || changed
        case .configuration(let configuration, let version):
            changed = take(configuration, version) || changed
            if lease == nil {
                // What an earlier agent left must be gone before a lease lets it be reached again.
                effects.append(.dropAllVirtualIPs)
                voidUnlessKept(into: &effects)
            }
        case .probeFinished(let found): changed = takeProbes(found) || changed
        case .operationEnded(let resource, let operation, let outcome):
            changed = takeEnd(of: operation, resource, outcome, now: now) || changed
        case .processExited(let resource, let start, let reason):
            changed = takeExit(of: resource, startedBy: start, reason: reason, now: now, into: &effects) || changed
        case .leave:
            changed = changed || !leaving
            leaving = true
            // Nobody may be there to take what runs here, and this node will not wait for somebody.
            if lease == nil { endPatience(into: &effects) }
        case .devices(let checks):
            changed = changed || devices != checks
            devices = checks
        case .tick: changed = changed || cellDeadline.map { now >= $0 } ?? false
        }
        if changed { advance(now: now, into: &effects) }
        if changed || outbox.wantsOffer(now: now) { sendReport(now: now, into: &effects) }
        let patienceEnd = leaselessSince.map { $0 + ExecutorLimits.noQuorumPatience }
        nextDeadline = .earliest(lease?.until, patienceEnd, cellDeadline, outbox.deadline)
    }

    /// Whether the node has looked for everything it knows.
    var hasProbedAll: Bool { cells.values.allSatisfy { $0.phase != .unprobed } }
}

/// The node's permission to run resources.
struct Lease: Hashable, Sendable {
    var until: Instant
    var term: Term
}

/// Which of two sheets is newer.
struct SheetNumber: Hashable, Comparable, Sendable {
    var term: Term
    var sequence: UInt64

    static func < (left: SheetNumber, right: SheetNumber) -> Bool {
        (left.term, left.sequence) < (right.term, right.sequence)
    }
}

extension OrderSheet {
    var number: SheetNumber { SheetNumber(term: term, sequence: sequence) }
}
