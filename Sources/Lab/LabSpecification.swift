internal import FoundationEssentials

/// What a lab consists of; written down in its directory, so that every later command finds it.
public struct LabSpecification: Codable, Hashable, Sendable {
    /// Tells labs on one machine apart; empty for the usual one.
    public let name: String
    /// The controllers, in order; a host's place gives it its addresses.
    public let hosts: [String]
    /// The path of the `haven` program, which also runs as PID 1 of every host.
    public let executable: String
    /// A directory with fence agents of ours that every host finds in /usr/sbin; nil for none.
    public let fenceAgents: String?

    /// The host outside of the cluster, from which services are used.
    public static let client = "client"
    /// What a lab has if nothing else is asked for.
    public static let defaultHosts = ["ctl1", "ctl2", "ctl3"]
    /// Each host has its own number in the last byte of its addresses: 11 … 42, and 201 … 232 for its BMC.
    public static let mostHosts = 32
    /// `s-` and the name must fit into the 15 characters of an interface's name.
    public static let longestName = 12

    /// Checks and describes a lab.
    ///
    /// - Parameters:
    ///   - name: Up to 12 lower-case letters and digits, or empty.
    ///   - hosts: The controllers' names.
    ///   - executable: The path of `haven`.
    ///   - fenceAgents: A directory with own fence agents.
    /// - Throws: what is wrong with a name or with the number of hosts.
    public init(
        name: String = "",
        hosts: [String] = defaultHosts,
        executable: String,
        fenceAgents: String? = nil
    ) throws(LabError) {
        guard name.isEmpty || Self.isName(name, allowing: "") else {
            throw .invalid("lab name “\(name)”: up to \(Self.longestName) lower-case letters and digits are possible")
        }
        guard (1...Self.mostHosts).contains(hosts.count) else {
            throw .invalid("\(hosts.count) hosts: 1 to \(Self.mostHosts) are possible")
        }
        for host in hosts where !Self.isName(host, allowing: "-") || host == Self.client {
            throw .invalid(
                "host name “\(host)”: up to \(Self.longestName) lower-case letters, digits and dashes are possible, "
                    + "and “\(Self.client)” is taken"
            )
        }
        guard Set(hosts).count == hosts.count else { throw .invalid("two hosts have the same name") }
        self.name = name
        self.hosts = hosts
        self.executable = executable
        self.fenceAgents = fenceAgents
    }

    private static func isName(_ text: String, allowing extra: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), text.utf8.count <= longestName else {
            return false
        }
        return text.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || extra.contains($0) }
    }
}

/// One of the lab's three networks.
public enum LabNetwork: String, Codable, CaseIterable, Sendable {
    /// Where clients and services meet.
    case service
    /// Where only the hosts meet.
    case heartbeat
    /// Where the BMCs and the power outlets are.
    case management

    /// The interface's name on every host.
    public var interface: String {
        switch self {
        case .service: "eth0"
        case .heartbeat: "eth1"
        case .management: "eth2"
        }
    }

    /// The first three bytes of its IPv4 addresses.
    public var prefix: String {
        switch self {
        case .service: "10.99.0"
        case .heartbeat: "10.99.1"
        case .management: "10.99.2"
        }
    }

    /// The bridge's name in the switch.
    var bridge: String { "br-\(rawValue)" }
    /// The name of a machine's port in the switch.
    func port(_ machine: String) -> String { "\(rawValue.first ?? "x")-\(machine)" }
    /// The third byte of its hardware addresses.
    var hardwareByte: String {
        switch self {
        case .service: "01"
        case .heartbeat: "02"
        case .management: "03"
        }
    }
}

extension LabSpecification {
    /// The IPv6 prefix of the service network: a unique local one.
    public static let servicePrefix6 = "fd48:6176:656e:"

    /// The last byte of a machine's addresses.
    func number(of machine: String) -> Int {
        machine == Self.client ? 100 : 11 + (hosts.firstIndex(of: machine) ?? 0)
    }

    /// The networks that a machine is on: the client has no business among the heartbeats.
    func networks(of machine: String) -> [LabNetwork] {
        machine == Self.client ? [.service, .management] : LabNetwork.allCases
    }

    /// A machine's IPv4 address on a network.
    public func address(of machine: String, on network: LabNetwork) -> String {
        "\(network.prefix).\(number(of: machine))"
    }

    /// A machine's IPv6 address on the service network.
    public func address6(of machine: String) -> String { "\(Self.servicePrefix6):\(number(of: machine))" }

    /// The address of a host's BMC; it listens on UDP port 623.
    public func controllerAddress(of host: String) -> String {
        "\(LabNetwork.management.prefix).\(190 + number(of: host))"
    }

    /// The address of the power outlets' own service.
    public static let powerServiceAddress = "\(LabNetwork.management.prefix).250"
    /// The TCP port of the power outlets' own service.
    public static let powerServicePort: UInt16 = 8470
    /// The user of every BMC.
    public static let controllerUser = "haven"

    func hardwareAddress(of machine: String, on network: LabNetwork) -> String {
        let digits = String(number(of: machine), radix: 16)
        return "02:48:\(network.hardwareByte):00:00:\(digits.count < 2 ? "0" : "")\(digits)"
    }

    /// /etc/hosts of every machine.
    var hostsFile: String {
        var lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
        for machine in hosts + [Self.client] {
            lines.append("\(address(of: machine, on: .service)) \(machine)")
            lines.append("\(address6(of: machine)) \(machine)-v6")
            for network in networks(of: machine) where network != .service {
                lines.append("\(address(of: machine, on: network)) \(machine)-\(network.rawValue)")
            }
            if machine != Self.client { lines.append("\(controllerAddress(of: machine)) \(machine)-bmc") }
        }
        lines.append("\(Self.powerServiceAddress) pdu")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension LabSpecification {
    /// The directory `fence-agents` of the sources that a program was built from; nil for an installed program.
    public static func fenceAgentsDirectory(above executable: String) -> String? {
        var path = executable[...]
        while let slash = path.lastIndex(of: "/") {
            path = path[..<slash]
            let candidate = "\(path)/fence-agents"
            if FileManager.default.isExecutableFile(atPath: "\(candidate)/fence_lab_pdu") { return candidate }
        }
        return nil
    }
}
