internal import Processes

/// What `haven lab status` shows.
public struct LabStatus: Codable, Hashable, Sendable {
    /// One machine.
    public struct Machine: Codable, Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Whether its power is on.
        public let isOn: Bool
        /// PID 1 as seen from outside.
        public let pid: Int32?
        /// Whether its service and heartbeat cables are plugged in.
        public let isPlugged: Bool
        /// Its IPv4 addresses by network.
        public let addresses: [String: String]
        /// The address of its BMC; the client has none.
        public let controller: String?
    }

    /// The lab's name.
    public let name: String
    /// All machines, the client last.
    public let machines: [Machine]
    /// The groups of a partition, as in `ctl1,ctl2/ctl3`.
    public let partition: String?
}

extension Lab {
    /// How things stand now.
    public var status: LabStatus {
        let machines = (hosts + [client]).map { host in
            let networks = specification.networks(of: host.name)
            let pid = host.firstProcess?.pid
            return LabStatus.Machine(
                name: host.name,
                isOn: pid != nil,
                pid: pid,
                isPlugged: !LabFiles.exists(paths.cableOut(host.name)),
                addresses: Dictionary(uniqueKeysWithValues: networks.map { ($0.rawValue, host.address(on: $0)) }),
                controller: host.name == LabSpecification.client
                    ? nil : specification.controllerAddress(of: host.name)
            )
        }
        return LabStatus(name: specification.name, machines: machines, partition: LabFiles.read(paths.partition))
    }
}
