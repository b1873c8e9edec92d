internal import CLinux
internal import Synchronization

/// Children that nobody waits for: remembered, so that they do not stay zombies for as long as this process lives.
enum DetachedChildren {
    private static let pids = Mutex<[Int32]>([])

    static func add(_ pid: Int32) {
        pids.withLock { $0.append(pid) }
    }

    /// Collects those that have ended.
    static func collect() {
        pids.withLock { known in
            known.removeAll { pid in
                var status: Int32 = 0
                return haven_wait(pid, &status) != 0
            }
        }
    }
}

/// What PID 1 of a process space owes to the processes there.
public enum Orphans {
    /// Collects every child of this process that has ended, whoever started it.
    ///
    /// Only for a process whose children are not awaited by anything else.
    public static func collect() {
        var status: Int32 = 0
        while haven_wait(-1, &status) > 0 {}
    }
}
