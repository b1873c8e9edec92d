extension ClusterConfiguration {
    func validateResources(_ findings: inout Findings) {
        let whole = ConfigurationPlace(.resources, label: "resources")
        findings.checkCount(resources.count, ConfigurationLimits.resources, whole)
        var names = Set<ResourceName>()
        var addresses: [IPAddress: String] = [:]
        for node in nodes {
            for address in node.addresses { addresses[address] = "node \"\(node.name)\"" }
        }
        for (index, resource) in resources.enumerated() {
            let place = ConfigurationPlace(.resources, index: index, label: "resource \"\(resource.name)\"")
            findings.checkName(resource.name, place.at("name"))
            findings.checkUnique(resource.name, &names, place.at("name"))
            findings.check(resource.operations, place)
            switch resource.kind {
            case .virtualIP(let specification):
                findings.check(specification, place)
                if let other = addresses.updateValue("resource \"\(resource.name)\"", forKey: specification.address) {
                    findings.add(place.at("ip"), "address \(specification.address) is that of \(other) too")
                }
            case .process(let specification): findings.check(specification, place)
            case .ocf(let specification): findings.check(specification, place)
            }
            findings.checkLease(of: resource, properties, place)
        }
    }
}

extension Findings {
    /// The kernel ends an address with its lease; of everything else somebody has to say what does.
    fileprivate mutating func checkLease(
        of resource: Resource,
        _ properties: ClusterProperties,
        _ place: ConfigurationPlace
    ) {
        if case .virtualIP = resource.kind { return }
        guard resource.requires == .lease, properties.selfFence == nil else { return }
        add(
            place.at("requires"),
            "requires=lease needs something that ends it on a node that has lost its lease",
            remedy:
                "set the property self-fence=watchdog, or self-fence=none if it may run twice on a node whose kernel hangs"
        )
    }

    fileprivate mutating func check(_ operations: OperationSettings, _ place: ConfigurationPlace) {
        let limit = ConfigurationLimits.operationTimeout
        checkRange(operations.startTimeout, limit, "start timeout", place.at("start-timeout"))
        checkRange(operations.stopTimeout, limit, "stop timeout", place.at("stop-timeout"))
        checkRange(operations.monitorTimeout, limit, "monitor timeout", place.at("monitor-timeout"))
        if operations.monitorInterval != 0 {
            let field = place.at("monitor-interval")
            checkRange(operations.monitorInterval, ConfigurationLimits.monitorInterval, "monitor interval", field)
        }
    }

    fileprivate mutating func check(_ specification: VirtualIP, _ place: ConfigurationPlace) {
        if let role = specification.address.unusableRole {
            add(
                place.at("ip"),
                "\(specification.address) is \(role)",
                remedy: "give a free address of the clients' subnet"
            )
        }
        let bits = specification.address.bits
        checkRange(specification.prefixLength, 1...bits, "cidr_netmask", place.at("cidr_netmask"))
        if let interface = specification.interface {
            // IFNAMSIZ less the terminating NUL; the kernel refuses "/" and white space (dev_valid_name).
            let refused = interface.unicodeScalars.contains { $0 == "/" || $0.value <= 0x20 || $0.value > 0x7E }
            if !(1...15).contains(interface.utf8.count) || refused {
                add(place.at("nic"), "\"\(interface)\" is no interface's name")
            }
        }
    }

    fileprivate mutating func check(_ specification: ProcessSpecification, _ place: ConfigurationPlace) {
        let command = place.at("command")
        checkCount(specification.command.count, ConfigurationLimits.commandWords, command)
        if let program = specification.command.first {
            if !program.hasPrefix("/") {
                add(command, "\"\(program)\" is no absolute path", remedy: "give the program's whole path")
            }
        } else {
            add(command, "the command is empty", remedy: "give command=\"/path/to/program arguments\"")
        }
        for word in specification.command { checkText(word, "a word of the command", command) }
        if let directory = specification.directory {
            checkText(directory, "the directory", place.at("directory"))
            if !directory.hasPrefix("/") { add(place.at("directory"), "\"\(directory)\" is no absolute path") }
        }
        if let user = specification.user { checkName(user, place.at("user")) }
        checkCount(specification.environment.count, ConfigurationLimits.parameters, place.at("environment"))
        for (name, value) in specification.environment.sorted(by: { $0.key < $1.key }) {
            if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || name.utf8.contains(0) {
                add(place.at("environment"), "\"\(name)\" is no variable's name")
            }
            checkText(value, "variable \"\(name)\"", place.at("environment"))
        }
    }

    fileprivate mutating func check(_ specification: OCFSpecification, _ place: ConfigurationPlace) {
        checkName(specification.provider, place.at("agent"))
        checkName(specification.type, place.at("agent"))
        checkParameters(specification.parameters, place.at("parameters"))
    }
}
