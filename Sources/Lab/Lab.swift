internal import CLinux
internal import FoundationEssentials
internal import LinuxIO
internal import Processes

/// A running lab: hosts with power switches, a client, three networks between them.
public struct Lab: Sendable {
    /// What it consists of.
    public let specification: LabSpecification

    var paths: LabPaths { LabPaths(lab: specification.name) }
    var network: LabSwitch { LabSwitch(specification: specification, paths: paths) }

    init(_ specification: LabSpecification) { self.specification = specification }

    /// Finds a lab that is up.
    ///
    /// - Parameter name: The lab's name; empty for the usual one.
    /// - Returns: The lab, whatever state its hosts are in.
    /// - Throws: when there is none.
    public static func open(_ name: String = "") throws(LabError) -> Lab {
        try requireRoot()
        let paths = LabPaths(lab: name)
        guard LabFiles.exists(paths.complete) else { throw .notUp(lab: name) }
        return Lab(try readSpecification(paths))
    }

    /// A host, or the client.
    public func host(_ name: String) throws(LabError) -> LabHost {
        guard specification.hosts.contains(name) || name == LabSpecification.client else {
            throw .unknownHost(name, known: specification.hosts + [LabSpecification.client])
        }
        return LabHost(name, specification)
    }

    /// All hosts, without the client.
    public var hosts: [LabHost] { specification.hosts.map { LabHost($0, specification) } }

    /// The host outside of the cluster.
    public var client: LabHost { LabHost(LabSpecification.client, specification) }

    /// The file with the password of a host's BMC, outside; hosts have it as /etc/haven-lab/HOST.password.
    public func controllerPasswordFile(of host: String) -> String {
        BaseboardController(specification: specification, paths: paths, host: host).passwordFile
    }

    /// What can be done to a power switch.
    public enum PowerAction: String, CaseIterable, Sendable {
        /// Boots a host that is off.
        case on
        /// Cuts the power.
        case off
        /// Cuts the power and boots again.
        case cycle
    }

    /// Uses a host's power switch, as its BMC does.
    public func power(_ action: PowerAction, _ host: String) throws(LabError) {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        let power = try powerSwitch(host)
        if action != .on { try power.off() }
        if action != .off { try power.on() }
    }

    /// Pulls or plugs the service and heartbeat cables of a host; they stay as they are over a power cycle.
    public func setLink(of host: String, up: Bool) throws(LabError) {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        let power = try powerSwitch(host)
        try changeCables(of: host, in: up, isOn: power.firstProcess != nil)
    }

    /// Splits the hosts into groups that cannot reach each other; replaces an earlier partition.
    ///
    /// The client and the BMCs reach everybody, and hosts that are in no group do, too.
    public func partition(_ groups: [[String]]) throws(LabError) {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        let named = groups.flatMap { $0 }
        for host in named { _ = try powerSwitch(host) }
        guard groups.count > 1, !groups.contains(where: \.isEmpty), Set(named).count == named.count else {
            throw .invalid("a partition needs two or more groups, as in “ctl1,ctl2/ctl3”, and each host only once")
        }
        try network.partition(groups)
        try LabFiles.write(paths.partition, groups.map { $0.joined(separator: ",") }.joined(separator: "/"))
    }

    /// Ends a partition and plugs all cables in.
    public func heal() throws(LabError) {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        try network.heal()
        LabFiles.remove(paths.partition)
        for host in hosts where LabFiles.exists(paths.cableOut(host.name)) {
            try changeCables(of: host.name, in: true, isOn: host.isOn)
        }
    }

    /// Nobody else changes the lab now, and nobody has removed it while this command waited.
    private func lock() throws(LabError) -> LabLock {
        let lock = try LabLock(paths)
        guard LabFiles.exists(paths.specification) else { throw .notUp(lab: specification.name) }
        return lock
    }

    private func changeCables(of host: String, in plugged: Bool, isOn: Bool) throws(LabError) {
        if isOn { try network.setCables(of: host, in: plugged) }
        if plugged {
            LabFiles.remove(paths.cableOut(host))
        } else {
            try LabFiles.write(paths.cableOut(host), "")
        }
    }

    /// The power switch of a host; the client has none.
    private func powerSwitch(_ host: String) throws(LabError) -> HostPower {
        guard specification.hosts.contains(host) else { throw .unknownHost(host, known: specification.hosts) }
        return HostPower(specification: specification, paths: paths, machine: host)
    }

    static func requireRoot() throws(LabError) {
        guard geteuid() == 0 else { throw .notRoot }
    }

    static func readSpecification(_ paths: LabPaths) throws(LabError) -> LabSpecification {
        guard let data = FileManager.default.contents(atPath: paths.specification) else {
            throw .notUp(lab: paths.lab)
        }
        do { return try JSONDecoder().decode(LabSpecification.self, from: data) } catch {
            throw .failed("\(paths.specification): \(error)")
        }
    }
}
