internal import Processes

/// The lab's switch: a namespace with one bridge per network, and a port in each for every machine.
struct LabSwitch {
    let specification: LabSpecification
    let paths: LabPaths

    private var namespace: String { paths.namespace(LabPaths.switchName) }

    func create() throws(LabError) {
        try LabTool.run("ip", ["netns", "add", namespace])
        var lines = ["link set lo up"]
        for network in LabNetwork.allCases {
            lines.append("link add \(network.bridge) type bridge stp_state 0 mcast_snooping 0")
            lines.append("link set \(network.bridge) up")
        }
        try LabTool.ip(in: namespace, lines)
        try createManagement()
    }

    /// Where the BMCs and the power service live: one port with all their addresses.
    private func createManagement() throws(LabError) {
        let name = LabPaths.managementName
        try LabTool.run("ip", ["netns", "add", paths.namespace(name)])
        let network = LabNetwork.management
        try LabTool.ip(
            in: namespace,
            [
                "link add \(network.port(name)) type veth peer name eth0 address 02:48:03:00:00:fa "
                    + "netns \(paths.namespace(name))",
                "link set \(network.port(name)) master \(network.bridge) up",
            ]
        )
        let addresses =
            specification.hosts.map { specification.controllerAddress(of: $0) }
            + [LabSpecification.powerServiceAddress]
        try LabTool.ip(
            in: paths.namespace(name),
            ["link set lo up"] + addresses.map { "addr add \($0)/24 dev eth0" } + ["link set eth0 up"]
        )
    }

    /// Gives a machine that boots its network stack, with a port in each network that it is on.
    func connect(_ machine: String, cableOut: Bool) throws(LabError) {
        let own = paths.namespace(machine)
        try LabTool.run("ip", ["netns", "add", own])
        var ports: [String] = []
        var inside = ["link set lo up"]
        for network in specification.networks(of: machine) {
            let port = network.port(machine)
            let hardware = specification.hardwareAddress(of: machine, on: network)
            ports.append(
                "link add \(port) type veth peer name \(network.interface) address \(hardware) netns \(own)"
            )
            let carrier = cableOut && network != .management ? "" : " up"
            ports.append("link set \(port) master \(network.bridge)\(carrier)")
            inside.append("addr add \(specification.address(of: machine, on: network))/24 dev \(network.interface)")
            if network == .service {
                inside.append(
                    "addr add \(specification.address6(of: machine))/64 dev \(network.interface) nodad"
                )
            }
            inside.append("link set \(network.interface) up")
        }
        try LabTool.ip(in: namespace, ports)
        try LabTool.ip(in: own, inside)
    }

    /// Takes the carrier of all ports of a machine at once: nothing that it sends from now on gets out.
    func darken(_ machine: String) throws(LabError) {
        try LabTool.ip(
            in: namespace,
            specification.networks(of: machine).map { "link set \($0.port(machine)) down" },
            force: true
        )
    }

    /// Removes the network stack of a machine that is off.
    func disconnect(_ machine: String) throws(LabError) {
        let ports = specification.networks(of: machine).map { "link del \($0.port(machine))" }
        try LabTool.ip(in: namespace, ports, force: true)
        if LabFiles.exists(paths.namespacePath(machine)) {
            try NetworkNamespace.remove(paths.namespace(machine))
        }
    }

    /// Plugs or pulls the service and heartbeat cables of a host; its management cable stays.
    func setCables(of host: String, in plugged: Bool) throws(LabError) {
        try LabTool.ip(
            in: namespace,
            [LabNetwork.service, .heartbeat].map { "link set \($0.port(host)) \(plugged ? "up" : "down")" }
        )
    }

    /// Drops all frames between hosts of different groups, on every network; the client and the BMCs reach everybody.
    ///
    /// A host in no group reaches all groups.
    func partition(_ groups: [[String]]) throws(LabError) {
        var rules: [String] = []
        for (index, group) in groups.enumerated() {
            let others = groups.enumerated().filter { $0.offset != index }.flatMap { $0.element }
            rules.append("iifname { \(ports(group)) } oifname { \(ports(others)) } drop")
        }
        try filter(
            """
            table bridge partition {
              chain forward {
                type filter hook forward priority 0; policy accept;
                \(rules.joined(separator: "\n    "))
              }
            }
            """
        )
    }

    /// Ends a partition.
    func heal() throws(LabError) { try filter("") }

    private func ports(_ hosts: [String]) -> String {
        hosts.flatMap { host in LabNetwork.allCases.map { "\"\($0.port(host))\"" } }.joined(separator: ", ")
    }

    private func filter(_ table: String) throws(LabError) {
        // Declared first, so that deleting it never fails; the whole file is one transaction.
        let script = "table bridge partition\ndelete table bridge partition\n\(table)\n"
        try LabTool.run(
            "nsenter",
            ["--net=\(paths.namespacePath(LabPaths.switchName))", "nft", "-f", "-"],
            input: script
        )
    }
}
