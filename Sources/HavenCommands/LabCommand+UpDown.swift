internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import Lab
internal import LinuxIO

struct LabUp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Build the lab and boot its hosts.",
        discussion: "The remains of a lab that crashed are removed first; ^C removes everything again."
    )

    @OptionGroup var options: LabOptions

    @Option(help: "The hosts' names, with commas between them.")
    var hosts = LabSpecification.defaultHosts.joined(separator: ",")

    @Option(help: "A directory with own fence agents, for all hosts (default: the fence-agents of these sources).")
    var fenceAgents: String?

    func run() throws {
        let specification = try options.specification(
            hosts: hosts.split(separator: ",", omittingEmptySubsequences: false).map(String.init),
            fenceAgents: fenceAgents
        )
        let signals = try SignalInput([2, 15, 1])
        try Lab.up(specification, isInterrupted: { signals.next() != nil }, progress: LabUp.tell)
    }
}

struct LabDown: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Remove the lab: processes, namespaces, mounts and files."
    )

    @OptionGroup var options: LabOptions

    func run() throws {
        try Lab.down(options.name, progress: LabUp.tell)
    }
}

struct LabShowStatus: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show hosts, power and cables.")

    @OptionGroup var options: LabOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let status = try options.open().status
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(status), as: UTF8.self))
        } else {
            print(Self.table(status))
        }
    }

    private static func table(_ status: LabStatus) -> String {
        var rows = [["host", "power", "cables", "service", "heartbeat", "management", "BMC"]]
        for machine in status.machines {
            rows.append(
                [machine.name, machine.isOn ? "on" : "off", machine.isPlugged ? "in" : "out"]
                    + LabNetwork.allCases.map { machine.addresses[$0.rawValue] ?? "-" }
                    + [machine.controller ?? "-"]
            )
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }
        if let partition = status.partition { lines.append("partition: \(partition)") }
        return lines.joined(separator: "\n")
    }
}

extension LabUp {
    /// Prints a line at once, also into a pipe: who watches wants to know now.
    static func tell(_ line: String) {
        print(line)
        fflush(nil)
    }
}
