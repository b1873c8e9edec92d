extension ClusterConfiguration {
    /// Everything that is wrong with this configuration, in the order of its parts; empty when it can be used.
    public func validate() -> [ConfigurationProblem] {
        var findings = Findings()
        findings.checkName(name, ConfigurationPlace(.name, label: "cluster name"))
        validateNodes(&findings)
        validateProperties(&findings)
        validateResources(&findings)
        validateConstraints(&findings)
        validateFenceDevices(&findings)
        validateListeners(&findings)
        return findings.problems
    }

    private func validateNodes(_ findings: inout Findings) {
        let whole = ConfigurationPlace(.nodes, label: "nodes")
        if nodes.isEmpty { findings.add(whole, "there are no nodes", remedy: "name at least one") }
        if !nodes.isEmpty, voters.isEmpty {
            findings.add(whole, "no node votes", remedy: "satellites need at least one member or witness")
        }
        findings.checkCount(nodes.count, ConfigurationLimits.nodes, whole)
        var names = Set<NodeName>()
        var numbers: [NodeID: NodeName] = [:]
        var owners: [IPAddress: NodeName] = [:]
        for (index, node) in nodes.enumerated() {
            let place = ConfigurationPlace(.nodes, index: index, label: "node \"\(node.name)\"")
            findings.checkName(node.name, place.at("name"))
            findings.checkUnique(node.name, &names, place.at("name"))
            if node.id.rawValue == 0 { findings.add(place.at("id"), "number 0 is not within 1 to 255") }
            if let other = numbers.updateValue(node.name, forKey: node.id) {
                findings.add(place.at("id"), "number \(node.id.rawValue) is that of node \"\(other)\" too")
            }
            if node.addresses.isEmpty {
                findings.add(place.at("addresses"), "it has no address", remedy: "give the address of its heartbeats")
            }
            findings.checkCount(node.addresses.count, ConfigurationLimits.addressesPerNode, place.at("addresses"))
            for address in node.addresses {
                if let role = address.unusableRole {
                    findings.add(place.at("addresses"), "\(address) is \(role)")
                }
                if let other = owners.updateValue(node.name, forKey: address) {
                    let whose = other == node.name ? "listed twice" : "that of node \"\(other)\" too"
                    findings.add(place.at("addresses"), "address \(address) is \(whose)")
                }
            }
        }
    }

    private func validateProperties(_ findings: inout Findings) {
        let place = ConfigurationPlace(.properties, label: "properties")
        findings.checkRange(
            properties.stonithTimeout,
            ConfigurationLimits.stonithTimeout,
            "stonith-timeout",
            place.at("stonith-timeout")
        )
        if let time = properties.checkInterval {
            let field = place.at("stonith-check-interval")
            findings.checkRange(time, ConfigurationLimits.stonithCheckInterval, "stonith-check-interval", field)
        }
        if let time = properties.watchdogTimeout {
            let field = place.at("stonith-watchdog-timeout")
            findings.checkRange(time, ConfigurationLimits.watchdogTimeout, "stonith-watchdog-timeout", field)
            if !time.count.isMultiple(of: 1000) {
                findings.add(field, "stonith-watchdog-timeout \(time) is no whole number of seconds")
            }
        }
        if properties.resourceStickiness < Score(0) {
            findings.add(
                place.at("resource-stickiness"),
                "resource-stickiness \(properties.resourceStickiness) is below 0",
                remedy: "give 0 to INFINITY"
            )
        }
        validateArbiter(&findings, place.at("arbiter"))
    }

    private func validateFenceDevices(_ findings: inout Findings) {
        let whole = ConfigurationPlace(.fenceDevices, label: "fence devices")
        findings.checkCount(fenceDevices.count, ConfigurationLimits.fenceDevices, whole)
        let nodeNames = Set(nodes.map(\.name))
        var names = Set<String>()
        for (index, device) in fenceDevices.enumerated() {
            let place = ConfigurationPlace(.fenceDevices, index: index, label: "fence device \"\(device.name)\"")
            findings.checkName(device.name, place.at("name"))
            findings.checkUnique(device.name, &names, place.at("name"))
            findings.checkName(device.agent, place.at("agent"))
            let secrets = device.secrets.mapValues(\.exposed)
            findings.checkParameters(device.parameters, place.at("parameters"))
            findings.checkParameters(secrets, place.at("secrets"))
            for name in device.parameters.keys.filter({ secrets[$0] != nil }).sorted() {
                findings.add(place.at("secrets"), "\"\(name)\" is given both as a parameter and as a secret")
            }
            if device.parameters["action"] != nil {
                findings.add(place.at("parameters"), "\"action\" is chosen at each call", remedy: "leave it out")
            }
            if device.targets.isEmpty {
                findings.add(place.at("targets"), "it powers off no node", remedy: "name the nodes (pcmk_host_list)")
            }
            for (target, word) in device.targets.sorted(by: { $0.key < $1.key }) {
                findings.checkKnown(target, nodeNames, "node", place.at("targets"))
                findings.checkText(word, "the agent's word for node \"\(target)\"", place.at("targets"))
            }
        }
    }
}

extension IPAddress {
    /// What keeps an address from being one machine's or one service's own; nil when nothing does.
    var unusableRole: String? {
        if bytes.allSatisfy({ $0 == 0 }) { return "the unspecified address" }
        switch family {
        case .v4:
            if bytes[0] >= 224 { return bytes[0] < 240 ? "a multicast address" : "a reserved address" }
        case .v6:
            if bytes[0] == 0xFF { return "a multicast address" }
        }
        return nil
    }
}
