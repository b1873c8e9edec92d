import AdminAPI
import ClusterModel

/// `haven property show --derived` as text.
enum TimingText {
    static func text(_ view: TimingView) -> String {
        let rows = [
            ("profile", view.profile.rawValue),
            ("heartbeat-interval", "\(view.heartbeatInterval)"),
            ("suspect-after", "\(view.suspectAfter)"),
            ("lost-after", "\(view.lostAfter)"),
            ("election-timeout", "\(view.electionTimeout)"),
            ("lease", "\(view.lease)"),
            ("grace", "\(view.grace)"),
            ("clock-rate-error", "\(view.clockRateErrorPercent)%"),
            ("failover", "\(view.promisedFailover), at most \(view.longestFailover)"),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        var lines = rows.map { name, value in
            name + String(repeating: " ", count: width + 2 - name.count) + value
        }
        if !view.nodesElsewhere.isEmpty {
            lines.append("not on this profile yet, or not heard: \(view.nodesElsewhere.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}
