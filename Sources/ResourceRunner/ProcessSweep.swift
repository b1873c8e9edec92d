internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes
internal import Recovery
internal import Supervision

/// Kills whatever is left of a resource and looks until it is gone.
enum ProcessSweep {
    /// Kills the processes of a group and those that carry the resource's mark; succeeds when none is left.
    ///
    /// Without a resource only the group is looked at.
    static func kill(
        _ resource: ResourceName?,
        group: Int32?,
        loop: EventLoop,
        completion: @escaping (OperationOutcome) -> Void
    ) {
        let deadline = Clock.monotonic() + RunnerLimits.goneAfterKill
        look(resource, group: group, loop: loop, deadline: deadline, completion: completion)
    }

    private static func look(
        _ resource: ResourceName?,
        group: Int32?,
        loop: EventLoop,
        deadline: Instant,
        completion: @escaping (OperationOutcome) -> Void
    ) {
        let left = ProcessTable.members(of: resource, group: group)
        if left.isEmpty { return completion(.succeeded) }
        for pid in left { _ = haven_kill(pid, SIGKILL) }
        let now = Clock.monotonic()
        guard now < deadline else {
            let pids = left.prefix(5).map(String.init).joined(separator: ", ")
            return completion(.failed("processes survive SIGKILL: \(pids)"))
        }
        loop.schedule(at: now + RunnerLimits.goneInterval) {
            look(resource, group: group, loop: loop, deadline: deadline, completion: completion)
        }
    }
}
