internal import ClusterModel
internal import FoundationEssentials
internal import LinuxIO
internal import Processes

extension Lab {
    /// What `up` and `down` tell while they work.
    public typealias Progress = (String) -> Void

    /// Builds a lab and boots all its hosts; the remains of a crashed one are removed first.
    ///
    /// - Parameters:
    ///   - specification: What to build.
    ///   - isInterrupted: Asked between the steps; `true` makes it remove everything again.
    ///   - progress: Told what was done.
    /// - Returns: The lab.
    /// - Throws: when there is one already, or why it could not be built; then nothing of it is left.
    @discardableResult
    public static func up(
        _ specification: LabSpecification,
        isInterrupted: () -> Bool = { false },
        progress: Progress = { _ in }
    ) throws(LabError) -> Lab {
        try requireRoot()
        let lab = Lab(specification)
        guard !LabFiles.exists(lab.paths.complete) else { throw .alreadyUp(lab: specification.name) }
        let lock = try LabLock(lab.paths)
        defer { withExtendedLifetime(lock) {} }
        // Looked at again: another “up” may have been at work while this one waited.
        guard !LabFiles.exists(lab.paths.complete) else { throw .alreadyUp(lab: specification.name) }
        if LabFiles.exists(lab.paths.root) || !lab.paths.namespaces().isEmpty {
            progress("removing the remains of an earlier lab")
            try removeEverything(lab.paths)
        }
        do throws(LabError) {
            try lab.build(isInterrupted, progress)
        } catch {
            try removeEverything(lab.paths)
            throw error
        }
        return lab
    }

    /// Removes a lab, or what is left of one: processes, namespaces, mounts, files.
    ///
    /// Nothing happens when there is none.
    public static func down(_ name: String = "", progress: Progress = { _ in }) throws(LabError) {
        try requireRoot()
        let paths = LabPaths(lab: name)
        let lock = try LabLock(paths)
        defer { withExtendedLifetime(lock) {} }
        try removeEverything(paths)
        progress("the lab is gone")
    }

    private func build(_ isInterrupted: () -> Bool, _ progress: Progress) throws(LabError) {
        func step() throws(LabError) {
            if isInterrupted() { throw .interrupted }
        }
        try LabFiles.makeDirectory(paths.root)
        try writeSpecification()
        try copyFenceAgents()
        try step()
        try network.create()
        progress("networks: service 10.99.0.0/24, heartbeat 10.99.1.0/24, management 10.99.2.0/24")
        let secrets = try makeSecrets()
        for machine in specification.hosts + [LabSpecification.client] {
            try step()
            let power = HostPower(specification: specification, paths: paths, machine: machine)
            try power.on(secrets: secrets.files)
            progress("\(machine) is up: \(specification.address(of: machine, on: .service))")
        }
        for host in specification.hosts {
            try step()
            let controller = BaseboardController(specification: specification, paths: paths, host: host)
            try controller.start(password: secrets.controllers[host] ?? "")
            progress("BMC of \(host): \(specification.controllerAddress(of: host)):623")
        }
        try step()
        try startPowerService(password: secrets.powerService)
        progress("power outlets: \(LabSpecification.powerServiceAddress):\(LabSpecification.powerServicePort)")
        try step()
        try LabFiles.write(paths.complete, "")
    }

    private struct Secrets {
        var controllers: [String: String] = [:]
        var powerService = ""
        var remoteShell: [String: String] = [:]

        /// As the hosts find them.
        var files: [String: String] {
            var files = remoteShell
            files["pdu.password"] = powerService
            for (host, password) in controllers { files["\(host).password"] = password }
            return files
        }
    }

    private func makeSecrets() throws(LabError) -> Secrets {
        var secrets = Secrets()
        for host in specification.hosts { secrets.controllers[host] = try BaseboardController.makePassword() }
        secrets.powerService = try BaseboardController.makePassword()
        secrets.remoteShell = try HostShell(specification: specification, paths: paths).create()
        return secrets
    }

    private func startPowerService(password: String) throws(LabError) {
        try LabFiles.makeDirectory(paths.powerService)
        try LabFiles.write(PowerService.passwordFile(paths), password)
        let service = try LabDaemon.start(
            [specification.executable, "lab", "pdu"] + paths.option,
            paths: paths,
            log: "\(paths.powerService)/log"
        )
        try LabDaemon.waitForPort(
            service,
            protocol: "tcp",
            address: LabSpecification.powerServiceAddress,
            LabSpecification.powerServicePort
        )
        service.detach()
    }

    private func writeSpecification() throws(LabError) {
        do {
            let data = try JSONEncoder().encode(specification)
            try LabFiles.write(paths.specification, String(decoding: data, as: UTF8.self))
        } catch let error as LabError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Copied, because an overlay cannot name every path, and so that a rebuild does not change a running lab.
    private func copyFenceAgents() throws(LabError) {
        guard let source = specification.fenceAgents else { return }
        try LabFiles.makeDirectory(paths.fenceAgents, mode: 0o755)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: source)) ?? []
        for name in names where name.hasPrefix("fence_") {
            guard let text = LabFiles.read("\(source)/\(name)") else { continue }
            try LabFiles.write("\(paths.fenceAgents)/\(name)", text, mode: 0o755)
        }
    }

    /// Everything of a lab that runs is in one of its network namespaces, so no list of processes has to be right.
    private static func removeEverything(_ paths: LabPaths) throws(LabError) {
        for namespace in paths.namespaces() { try NetworkNamespace.remove(namespace) }
        LabFiles.remove(paths.root)
    }
}
