internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes
internal import Supervision

/// A running process of a resource: started by this agent, or by an earlier one and found again.
final class SupervisedProcess {
    /// Its resource.
    let resource: ResourceName
    /// Its id, which is its group's too.
    let pid: Int32
    /// The operation that started or found it.
    var startedBy: UInt64
    /// Called once when it has ended, in words.
    var ended: ((String) -> Void)?

    private let loop: EventLoop
    private var child: ChildProcess?
    private var adopted: Descriptor?
    private var watch: EventLoop.Token?

    private init(resource: ResourceName, pid: Int32, startedBy: UInt64, loop: EventLoop) {
        self.resource = resource
        self.pid = pid
        self.startedBy = startedBy
        self.loop = loop
    }

    /// Starts a process; returns when it has become the program.
    static func start(
        _ invocation: Invocation,
        resource: ResourceName,
        startedBy: UInt64,
        loop: EventLoop
    ) throws(SystemError) -> SupervisedProcess {
        let child = try ChildProcess(invocation)
        let process = SupervisedProcess(resource: resource, pid: child.pid, startedBy: startedBy, loop: loop)
        process.child = child
        process.watch = try loop.watch(child) { [weak process] in process?.childProgressed() }
        return process
    }

    /// Takes over a process that an earlier agent started; nil when it is not there any more.
    static func adopt(
        _ record: ProcessRecord,
        startedBy: UInt64,
        loop: EventLoop
    ) -> SupervisedProcess? {
        guard let identity = record.process else { return nil }
        let pid = identity.pid
        let opened = haven_pidfd_open(pid)
        guard opened >= 0 else { return nil }
        let descriptor = Descriptor(owning: Int32(opened))
        // Looked at after the descriptor was opened: now the number cannot be given to another process unnoticed.
        guard let facts = ProcessFacts(of: pid), facts.startTime == identity.startTime, !facts.isDead else {
            return nil
        }
        let process = SupervisedProcess(resource: record.resource, pid: pid, startedBy: startedBy, loop: loop)
        let number = descriptor.number
        process.adopted = consume descriptor
        process.watch = try? loop.watch(number, .read) { [weak process] _ in process?.adoptedEnded() }
        return process.watch == nil ? nil : process
    }

    /// Sends a signal to the whole group.
    func signal(_ number: Int32) {
        if let child {
            child.signalGroup(number)
        } else if adopted != nil {
            _ = haven_kill(-pid, number)
        }
    }

    /// Leaves it running, unwatched.
    func letGo() {
        child?.detach()
        release()
    }

    private func childProgressed() {
        guard let child else { return }
        child.progress()
        guard let exit = child.exit else { return }
        release()
        ended?(exit.description)
    }

    private func adoptedEnded() {
        guard adopted != nil else { return }
        // Members that it left behind keep the group's number from being given away.
        _ = haven_kill(-pid, SIGKILL)
        release()
        ended?("it ended; how is not known, an earlier agent had started it")
    }

    private func release() {
        loop.remove(watch)
        watch = nil
        child = nil
        adopted = nil
    }
}
