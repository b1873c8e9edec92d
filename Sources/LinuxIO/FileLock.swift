internal import CLinux

/// Locks of whole files between processes; they end with the descriptor.
public enum FileLock {
    /// Takes the lock if nobody holds it; the lock lasts until the descriptor is closed by all who have it.
    public static func tryLock(_ number: Int32) -> Bool { haven_flock(number, LOCK_EX | LOCK_NB) >= 0 }
}
