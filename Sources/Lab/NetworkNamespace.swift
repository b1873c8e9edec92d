internal import Processes

/// Namespaces end together with everything that runs in them.
enum NetworkNamespace {
    /// A process that is being killed may have started another one just before.
    private static let mostRounds = 5

    /// Kills what runs in a namespace, and removes its name.
    static func remove(_ namespace: String) throws(LabError) {
        for _ in 0..<mostRounds {
            let pids = try LabTool.run("ip", ["netns", "pids", namespace]).split(whereSeparator: \.isWhitespace)
            if pids.isEmpty { break }
            for identity in pids.compactMap({ Int32($0) }).compactMap({ ProcessIdentity(runningAs: $0) }) {
                guard identity.kill(patience: HostPower.timeLimit) else {
                    throw .failed("process \(identity.pid) of \(namespace) cannot be killed")
                }
            }
        }
        try LabTool.run("ip", ["netns", "del", namespace])
    }
}
