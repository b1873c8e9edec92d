/// Which servers take new clients: HAProxy's main and backup servers.
public enum ActiveServers {
    /// A server as far as this matters.
    public struct Candidate: Sendable {
        /// All that decides whether it could take clients.
        public var condition: ServerCondition
        /// Whether it stands in only when no main server takes clients.
        public var isBackup: Bool

        /// States both.
        public init(_ condition: ServerCondition, isBackup: Bool = false) {
            self.condition = condition
            self.isBackup = isBackup
        }
    }

    /// The share of each server in new clients; 0 for those that get none.
    ///
    /// Backup servers count only when no main server takes clients, and then the first one of them alone, unless all
    /// shall (`option allbackups`).
    public static func weights(_ servers: [Candidate], allBackups: Bool = false) -> [Int] {
        let main = servers.map { $0.isBackup || !$0.condition.isEligible ? 0 : $0.condition.weight }
        if main.contains(where: { $0 > 0 }) { return main }
        let backups = servers.map { $0.isBackup && $0.condition.isEligible ? $0.condition.weight : 0 }
        guard !allBackups, let first = backups.firstIndex(where: { $0 > 0 }) else { return backups }
        return backups.indices.map { $0 == first ? backups[$0] : 0 }
    }
}
