import AdminAPI
import ClusterModel

/// `haven status` as text: the facts of `pcs status`, and those of the load balancer.
enum StatusText {
    static func text(_ view: StatusView) -> String {
        let sections = [
            head(view), warnings(view.warnings), nodes(view), links(view), resources(view.resources),
            failures(view.resources),
            fencing(view), listeners(view),
        ]
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private static func head(_ view: StatusView) -> [String] {
        let quorum = view.quorum.isQuorate ? "partition with quorum" : "partition WITHOUT quorum"
        return [
            "Cluster name: \(view.cluster)",
            "Current DC: \(view.quorum.leader ?? "NONE") (term \(view.quorum.term)) - \(quorum)",
            "Configuration: version \(view.version), digest \(view.digest), seen by \(view.answeredBy)",
            "\(count(view.nodes.count, "node")) configured",
            "\(count(view.resources.count, "resource")) configured",
        ]
    }

    private static func warnings(_ warnings: [String]) -> [String] {
        warnings.isEmpty ? [] : ["WARNINGS:"] + warnings.map { "  \($0)" }
    }

    private static func nodes(_ view: StatusView) -> [String] {
        var lines: [String] = []
        func list(_ title: String, _ nodes: [NodeView]) {
            let names = nodes.map { node in
                guard let role = node.role, role != .member else { return node.name }
                return "\(node.name) (\(role.rawValue))"
            }
            if !nodes.isEmpty { lines.append("\(title): [ \(names.joined(separator: " ")) ]") }
        }
        list("Online", view.nodes.filter { $0.state == .online && !$0.standby && !$0.maintenance })
        list("Standby", view.nodes.filter { $0.state == .online && $0.standby && !$0.maintenance })
        list("Maintenance", view.nodes.filter { $0.state == .online && $0.maintenance })
        list("Suspect", view.nodes.filter { $0.state == .suspect })
        list("OFFLINE", view.nodes.filter { $0.state == .lost })
        list("Being fenced", view.nodes.filter { $0.state == .fencing })
        list("Fenced", view.nodes.filter { $0.state == .fenced })
        list("Pending", view.nodes.filter { $0.state == .pending })
        for node in view.nodes {
            var facts: [String] = []
            if let heard = node.lastHeard, node.state != .online {
                facts.append("last heard \(TimeText.duration(heard)) ago")
            }
            if let digest = node.digest, digest != view.digest { facts.append("has another configuration (\(digest))") }
            if let level = node.level, !isOfOneLevel(view) { facts.append("speaks level \(level)") }
            if node.name == view.answeredBy {
                facts.append(node.leaseRemaining.map { "lease for \($0)" } ?? "NO LEASE: may run nothing")
            }
            if let agent = view.agent, agent.node == node.name, agent.stallCount > 0 {
                let longest = TimeText.duration(agent.longestStall)
                facts.append("its agent did not run \(count(agent.stallCount, "time")), the longest for \(longest)")
            }
            if !facts.isEmpty { lines.append("  \(node.name): \(facts.joined(separator: ", "))") }
        }
        return lines
    }

    /// Whether all nodes that are known to speak a level speak that of the cluster.
    private static func isOfOneLevel(_ view: StatusView) -> Bool {
        guard let level = view.level else { return true }
        return view.nodes.allSatisfy { $0.level ?? level == level }
    }

    /// Told where there is more than one to a node, or something to be told; the rest is for `haven link status`.
    private static func links(_ view: StatusView) -> [String] {
        let links = view.links ?? []
        guard links.contains(where: { $0.link > 0 || $0.lossInPerMille > 0 || $0.lossOutPerMille > 0 }) else {
            return []
        }
        return ["Links of \(view.agent?.node ?? view.answeredBy):"] + links.map { "  \(LinkText.line($0))" }
    }

    private static func resources(_ resources: [ResourceView]) -> [String] {
        if resources.isEmpty { return [] }
        return ["Full list of resources:"]
            + resources.map { resource in
                let address = resource.address.map { " \($0)" } ?? ""
                let care = resource.managed ? "" : " (unmanaged)"
                return "  \(resource.name) (\(resource.agentName)): \(state(resource))\(address)\(care)"
            }
    }

    private static func state(_ resource: ResourceView) -> String {
        let place = resource.node.map { " \($0)" } ?? ""
        let reason = resource.reason.isEmpty ? "" : " - \(resource.reason)"
        switch resource.state {
        case .started: return "Started\(place)\(reason)"
        case .starting: return "Starting\(place)\(reason)"
        case .stopping: return "Stopping\(place)\(reason)"
        case .stopped: return "Stopped\(resource.enabled ? "" : " (disabled)")\(reason)"
        case .blocked: return "Stopped (blocked)\(reason)"
        case .failed: return "FAILED\(place)\(reason)"
        }
    }

    private static func failures(_ resources: [ResourceView]) -> [String] {
        let lines = resources.flatMap { resource in
            resource.failures.map { failure in
                "  \(resource.name) on \(failure.node): \(count(failure.count, "failure")), the newest: \(failure.reason)"
            }
        }
        return lines.isEmpty ? [] : ["Failed actions (haven resource cleanup forgets them):"] + lines
    }

    private static func fencing(_ view: StatusView) -> [String] {
        var lines: [String] = []
        if !view.fenceDevices.isEmpty {
            lines.append("Fence devices:")
            for device in view.fenceDevices {
                let targets = device.targets.joined(separator: " ")
                lines.append("  \(device.name) (\(device.agent)) for \(targets): \(health(device))")
            }
        }
        if !view.fences.isEmpty {
            lines.append("Fencing history:")
            for fence in view.fences { lines.append("  \(self.fence(fence))") }
        }
        return lines
    }

    /// What the nodes that ask a device for real said last, failures first: one that can be used from one node alone is
    /// no good device.
    private static func health(_ device: FenceDeviceView) -> String {
        guard let checks = device.checks else { return device.failure.map { "FAILED - \($0)" } ?? "ok" }
        let failed = checks.filter { $0.failure != nil }
        if let first = failed.first {
            let nodes = failed.map(\.node).joined(separator: " ")
            return "FAILED from \(nodes) \(ago(first.ago)) - \(first.failure ?? "")"
        }
        guard let newest = checks.map(\.ago).min() else { return "not checked yet" }
        return "ok from \(checks.map(\.node).joined(separator: " ")), \(ago(newest))"
    }

    private static func ago(_ time: Milliseconds) -> String { "\(TimeText.duration(time)) ago" }

    private static func fence(_ view: FenceView) -> String {
        let record = view.record
        let took = record.endedAt.map { " after \(TimeText.duration(Milliseconds($0 - record.orderedAt)))" } ?? ""
        let outcome =
            switch record.outcome {
            case .ordered: "under way"
            case .verified: "off and verified\(took)"
            case .failed(let reason): "FAILED\(took) - \(reason)"
            }
        return "\(view.node) at \(TimeText.date(record.orderedAt)): \(outcome) (\(record.reason))"
    }

    private static func listeners(_ view: StatusView) -> [String] {
        if view.listeners.isEmpty { return [] }
        return ["Listeners, as \(view.answeredBy) sees them:"] + view.listeners.flatMap { LoadBalancerText.lines($0) }
    }

    /// `1 node`, `2 nodes`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
