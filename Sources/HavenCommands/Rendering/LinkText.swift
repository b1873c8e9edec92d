import AdminAPI
import ClusterModel

/// Links as text.
enum LinkText {
    static func text(_ links: [LinkView]) -> String {
        if links.isEmpty { return "no links: the cluster has one node" }
        return links.map(line).joined(separator: "\n")
    }

    /// One link: its ends, how it is, what it loses, how long it takes and what fits.
    static func line(_ link: LinkView) -> String {
        let head = "\(link.node) link \(link.link) \(link.local) -> \(link.remote)"
        guard link.state != .down else {
            let heard = link.lastHeard.map { "last heard \(TimeText.duration($0)) ago" } ?? "never heard"
            return "\(head): DOWN, \(heard)"
        }
        var facts = ["up" + (link.isChosen ? " (used)" : "")]
        if let held = link.heldFor { facts = ["HELD for \(TimeText.duration(held)): it went down too often"] }
        facts.append("loss \(percent(link.lossInPerMille)) in \(percent(link.lossOutPerMille)) out")
        if let time = link.roundTripMicroseconds { facts.append("rtt \(milliseconds(time))") }
        facts.append("mtu \(link.mtu)")
        return "\(head): \(facts.joined(separator: ", "))"
    }

    private static func percent(_ perMille: Int) -> String { "\(perMille / 10).\(perMille % 10)%" }

    private static func milliseconds(_ microseconds: Int64) -> String {
        let hundredths = (microseconds + 5) / 10
        let rest = String(hundredths % 100)
        return "\(hundredths / 100).\(rest.count == 1 ? "0" + rest : rest)ms"
    }
}
