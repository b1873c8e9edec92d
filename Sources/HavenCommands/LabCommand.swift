public import ArgumentParser
internal import FoundationEssentials
internal import Lab

/// `haven lab`: hosts as network namespaces, with power switches, on this machine.
public struct LabCommand: ParsableCommand {
    /// How it is called.
    public static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Hosts, networks and power switches on this machine, to try things out on (needs root).",
        subcommands: [
            LabUp.self, LabDown.self, LabShowStatus.self, LabExec.self, LabPower.self, LabLink.self,
            LabPartition.self, LabHeal.self, LabTour.self, LabSoak.self, LabInit.self, LabOutlets.self, LabProbe.self,
            LabOwners.self, LabBurn.self,
        ]
    )

    /// Parsed by the argument parser.
    public init() {}
}

struct LabOptions: ParsableArguments {
    @Option(help: "Which lab, if there are several on this machine (default: the one that HAVEN_LAB names).")
    var lab: String?

    /// Empty for the usual one.
    var name: String { lab ?? ProcessInfo.processInfo.environment["HAVEN_LAB"] ?? "" }

    func open() throws -> Lab { try Lab.open(name) }

    /// What a new lab of that name is made of.
    ///
    /// - Parameters:
    ///   - hosts: The names of its hosts.
    ///   - fenceAgents: A directory with own fence agents; nil for those of these sources.
    /// - Returns: What `Lab.up` takes.
    /// - Throws: when the lab's name or its hosts are not usable.
    func specification(
        hosts: [String] = LabSpecification.defaultHosts,
        fenceAgents: String? = nil
    ) throws -> LabSpecification {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return try LabSpecification(
            name: name,
            hosts: hosts,
            executable: executable,
            fenceAgents: fenceAgents ?? LabSpecification.fenceAgentsDirectory(above: executable)
        )
    }
}
