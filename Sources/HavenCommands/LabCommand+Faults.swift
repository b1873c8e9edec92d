public import ArgumentParser
public import Lab
internal import Processes

extension Lab.PowerAction: ExpressibleByArgument {}

struct LabPower: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "power",
        abstract: "Use a host's power switch; its disk stays as it is."
    )

    @OptionGroup var options: LabOptions
    @Argument(help: "on, off or cycle.") var action: Lab.PowerAction
    @Argument(help: "The host.") var host: String

    func run() throws { try options.open().power(action, host) }
}

struct LabLink: ParsableCommand {
    enum Direction: String, CaseIterable, ExpressibleByArgument { case up, down }

    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Plug or pull a host's service and heartbeat cables; its BMC stays reachable."
    )

    @OptionGroup var options: LabOptions
    @Argument(help: "up or down.") var direction: Direction
    @Argument(help: "The host.") var host: String

    func run() throws { try options.open().setLink(of: host, up: direction == .up) }
}

struct LabPartition: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partition",
        abstract: "Split the hosts into groups that cannot reach each other, as in: partition ctl1,ctl2/ctl3",
        discussion: "The client and the BMCs reach everybody, and so does a host that is in no group."
    )

    @OptionGroup var options: LabOptions
    @Argument(help: "Groups with slashes, hosts with commas between them.") var groups: String

    private var parsed: [[String]] {
        groups.split(separator: "/", omittingEmptySubsequences: false).map { $0.split(separator: ",").map(String.init) }
    }

    func validate() throws {
        let hosts = parsed.flatMap(\.self)
        guard parsed.count > 1, !parsed.contains([]), Set(hosts).count == hosts.count else {
            throw ValidationError("\"\(groups)\" are no groups; give for example ctl1,ctl2/ctl3")
        }
    }

    func run() throws { try options.open().partition(parsed) }
}

struct LabHeal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heal",
        abstract: "End a partition and plug all cables in."
    )

    @OptionGroup var options: LabOptions

    func run() throws { try options.open().heal() }
}

struct LabExec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a program on a host, or on the client: exec HOST -- PROGRAM ARGUMENT…",
        discussion: "Its output, input and exit code are those of this command. It starts in / and as root."
    )

    @OptionGroup var options: LabOptions
    @Argument(help: "The host, or “client”.") var host: String
    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.") var command: [String]

    func run() throws {
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        guard !words.isEmpty else {
            throw ValidationError("name a program, as in: haven lab exec \(host) -- ip address")
        }
        try options.open().host(host).invocation(words).replaceThisProcess()
    }
}

struct LabInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Be the first process of a host.",
        shouldDisplay: false
    )

    @OptionGroup var options: LabOptions
    @Argument var host: String

    func run() throws { try HostInit.run(host, lab: options.name) }
}

struct LabOutlets: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pdu",
        abstract: "Serve the power outlets on the management network.",
        shouldDisplay: false
    )

    @OptionGroup var options: LabOptions

    func run() throws {
        var service = try PowerService(lab: options.name)
        try service.run()
    }
}
