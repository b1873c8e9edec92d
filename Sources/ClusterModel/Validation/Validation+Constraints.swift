extension ClusterConfiguration {
    func validateConstraints(_ findings: inout Findings) {
        let whole = ConfigurationPlace(.locations, label: "constraints")
        findings.checkCount(locations.count + colocations.count, ConfigurationLimits.constraints, whole)
        let resourceNames = Set(resources.map(\.name))
        var ids = Set<String>()
        validateLocations(resourceNames, &ids, &findings)
        validateColocations(resourceNames, &ids, &findings)
        validateMandatoryColocations(&findings)
    }

    private func validateLocations(
        _ resourceNames: Set<ResourceName>,
        _ ids: inout Set<String>,
        _ findings: inout Findings
    ) {
        let nodeNames = Set(nodes.map(\.name))
        var pairs = Set<[String]>()
        for (index, location) in locations.enumerated() {
            let place = ConfigurationPlace(.locations, index: index, label: "location constraint \"\(location.id)\"")
            findings.checkConstraintID(location.id, &ids, place.at("id"))
            findings.checkKnown(location.resource, resourceNames, "resource", place.at("resource"))
            findings.checkKnown(location.node, nodeNames, "node", place.at("node"))
            if !pairs.insert([location.resource, location.node]).inserted {
                findings.add(place, "another one joins \(location.resource) and \(location.node)", remedy: "delete one")
            }
        }
    }

    private func validateColocations(
        _ resourceNames: Set<ResourceName>,
        _ ids: inout Set<String>,
        _ findings: inout Findings
    ) {
        var pairs = Set<[ResourceName]>()
        for (index, colocation) in colocations.enumerated() {
            let place = Self.place(colocation, index)
            findings.checkConstraintID(colocation.id, &ids, place.at("id"))
            findings.checkKnown(colocation.resource, resourceNames, "resource", place.at("resource"))
            findings.checkKnown(colocation.with, resourceNames, "resource", place.at("with"))
            if colocation.resource == colocation.with {
                findings.add(place, "it joins \(colocation.resource) with itself")
            }
            if !pairs.insert([colocation.resource, colocation.with]).inserted {
                let pair = "\(colocation.resource) with \(colocation.with)"
                findings.add(place, "another one joins \(pair)", remedy: "delete one")
            }
        }
    }

    /// Mandatory colocations must have an order (who is placed first) and must not say both "together" and "apart".
    private func validateMandatoryColocations(_ findings: inout Findings) {
        var together = Groups()
        var followed: [ResourceName: [ResourceName]] = [:]
        for (index, colocation) in colocations.enumerated()
        where colocation.score == .infinity && colocation.resource != colocation.with {
            // Only what is joined already can close a circle; this keeps the search off the usual path.
            let joined = together.first(of: colocation.resource) == together.first(of: colocation.with)
            if joined, Self.leads(from: colocation.with, to: colocation.resource, followed) {
                let pair = "\(colocation.with) already follows \(colocation.resource)"
                findings.add(Self.place(colocation, index), "it closes a circle: \(pair)", remedy: "delete one of them")
            }
            followed[colocation.resource, default: []].append(colocation.with)
            together.join(colocation.resource, colocation.with)
        }
        for (index, colocation) in colocations.enumerated()
        where colocation.score == .minusInfinity && colocation.resource != colocation.with {
            guard together.first(of: colocation.resource) == together.first(of: colocation.with) else { continue }
            let pair = "\(colocation.resource) and \(colocation.with)"
            findings.add(
                Self.place(colocation, index),
                "\(pair) must be together by other constraints and apart by this one",
                remedy: "delete one of them"
            )
        }
    }

    /// Whether a chain of mandatory colocations leads from one resource to another.
    private static func leads(
        from first: ResourceName,
        to target: ResourceName,
        _ followed: [ResourceName: [ResourceName]]
    ) -> Bool {
        var reached: Set<ResourceName> = [first]
        var next = [first]
        while let current = next.popLast() {
            if current == target { return true }
            for following in followed[current] ?? [] where reached.insert(following).inserted { next.append(following) }
        }
        return false
    }

    private static func place(_ colocation: ColocationConstraint, _ index: Int) -> ConfigurationPlace {
        ConfigurationPlace(.colocations, index: index, label: "colocation constraint \"\(colocation.id)\"")
    }
}

/// Resources that must be together, as disjoint sets.
private struct Groups {
    private var parents: [ResourceName: ResourceName] = [:]

    /// The resource that stands for the set of `name`.
    func first(of name: ResourceName) -> ResourceName {
        var current = name
        while let parent = parents[current] { current = parent }
        return current
    }

    mutating func join(_ left: ResourceName, _ right: ResourceName) {
        let leftFirst = first(of: left)
        let rightFirst = first(of: right)
        if leftFirst != rightFirst { parents[leftFirst] = rightFirst }
    }
}

extension Findings {
    fileprivate mutating func checkConstraintID(_ id: String, _ seen: inout Set<String>, _ place: ConfigurationPlace) {
        if id.isEmpty || id.utf8.count > ConfigurationLimits.constraintIDLength {
            add(place, "an id has 1 to \(ConfigurationLimits.constraintIDLength) characters")
        }
        if id.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value > 0x7E }) {
            add(place, "an id holds no space and nothing beyond ASCII")
        }
        if !seen.insert(id).inserted { add(place, "the id is given twice", remedy: "choose another for one of them") }
    }
}
