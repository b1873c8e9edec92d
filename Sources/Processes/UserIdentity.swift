public import CLinux
public import LinuxIO

/// Whom a program runs as.
public struct UserIdentity: Hashable, Sendable {
    /// The user.
    public let user: uid_t
    /// The user's own group.
    public let group: gid_t
    /// All groups of the user.
    public let groups: [gid_t]

    private static let mostGroups = 1024

    /// Looks a user up in the system's databases.
    ///
    /// - Throws: ENOENT when there is no such user.
    public init(named name: String) throws(SystemError) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        let failure = getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard failure == 0, found != nil else {
            throw SystemError(call: "user", subject: name, code: failure == 0 ? ENOENT : failure)
        }
        user = entry.pw_uid
        group = entry.pw_gid
        var groups = [gid_t](repeating: 0, count: Self.mostGroups)
        var count = Int32(groups.count)
        guard getgrouplist(name, group, &groups, &count) >= 0 else {
            throw SystemError(call: "getgrouplist", subject: name, code: E2BIG)
        }
        self.groups = Array(groups.prefix(Int(count)))
    }
}
