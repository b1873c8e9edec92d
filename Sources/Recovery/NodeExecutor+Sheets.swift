import ClusterModel
import Placement

/// Orders and configurations.
extension NodeExecutor {
    /// Follows a sheet if it is for this session, not older than one followed before, of the term of the present lease,
    /// and made by a leader who knew that this lease had begun.
    ///
    /// - Returns: Whether anything changed.
    mutating func take(_ new: OrderSheet) -> Bool {
        guard new.session == session, new.number >= newest || faults.ignoreEpoch,
            new.run.count <= RecoveryLimits.mostResources
        else {
            refusedSheets += 1
            return false
        }
        // The leader repeats what it believes unheard, so the answer, whatever it is, is due.
        outbox.isDue = true
        guard let lease else {
            // Nothing is started without a lease, but nothing older is obeyed from now on either: the leader can count
            // on that, and take back what it ordered and never got here.
            newest = new.number
            seen = new.number
            return takeBack(new)
        }
        guard lease.term >= new.term || faults.ignoreEpoch else {
            if held.map({ $0.number < new.number }) ?? true { held = new }
            return false
        }
        guard lease.term == new.term && new.answers >= tenure || faults.ignoreEpoch else {
            refusedSheets += 1
            return false
        }
        held = nil
        if sheet?.number == new.number { return false }
        newest = new.number
        sheet = new
        left = Set(new.leave ?? [])
        let orders = Dictionary(new.run.map { ($0.resource, $0.epoch) }, uniquingKeysWith: max)
        for name in names { cells[name]?.wanted = orders[name] }
        return true
    }

    /// Without a lease a sheet orders nothing, but what it does not name must not run on.
    ///
    /// - Returns: Whether anything changed.
    private mutating func takeBack(_ new: OrderSheet) -> Bool {
        let orders = Dictionary(new.run.map { ($0.resource, $0.epoch) }, uniquingKeysWith: max)
        var changed = false
        for name in names {
            guard let wanted = cells[name]?.wanted, orders[name].map({ $0 < wanted }) ?? true else { continue }
            cells[name]?.wanted = nil
            changed = true
        }
        return changed
    }

    /// Applies a configuration: new resources are looked for, changed ones restarted if they changed in earnest.
    ///
    /// - Returns: Whether anything changed.
    mutating func take(_ new: ClusterConfiguration, _ newVersion: ConfigurationVersion) -> Bool {
        guard configuration == nil || newVersion > version else { return false }
        configuration = new
        version = newVersion
        graph = ColocationGraph(new)
        isInMaintenance = new.isInMaintenance(node)
        unmanaged = Set(new.resources.lazy.filter { !$0.managed }.map(\.name))
        for resource in new.resources {
            guard var cell = cells[resource.name] else {
                cells[resource.name] = ResourceCell(resource: resource)
                continue
            }
            // What it was started with is needed to stop it; only what does not matter for that is taken over.
            if cell.resource.kind == resource.kind { cell.resource = resource }
            cells[resource.name] = cell
        }
        names = cells.keys.sorted()
        if let sheet {
            let orders = Dictionary(sheet.run.map { ($0.resource, $0.epoch) }, uniquingKeysWith: max)
            for name in names { cells[name]?.wanted = orders[name] }
        }
        return true
    }

    /// Forgets resources that are gone from the configuration, are down and are not ordered.
    mutating func forgetWhatIsGone() {
        // Every configured resource has a cell, so none is left over unless there are more of them.
        guard let configuration, let sheet, sheet.version >= version, names.count > configuration.resources.count else {
            return
        }
        let configured = Set(configuration.resources.map(\.name))
        let gone = names.filter { name in
            guard !configured.contains(name), let cell = cells[name] else { return false }
            let isIdle = cell.operation == nil && (cell.phase == .stopped || cell.phase == .failed)
            return isIdle && cell.wanted == nil
        }
        guard !gone.isEmpty else { return }
        for name in gone { cells[name] = nil }
        names = cells.keys.sorted()
    }
}
