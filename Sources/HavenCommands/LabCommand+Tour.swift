public import ArgumentParser
public import ClusterModel
internal import FoundationEssentials
internal import Glibc
internal import Lab
internal import LinuxIO
internal import Tour

struct LabTour: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour",
        abstract: "Make a lab and a cluster in it, do to it what can happen, and measure what clients see.",
        discussion: "The lab is removed afterwards, also by ^C. Exit code 1: the verdict is not good."
    )

    @OptionGroup var options: LabOptions

    @Option(help: "How often everything is done.")
    var runs = 1

    @Flag(help: "Leave the lab running.")
    var keep = false

    @Option(help: "The cluster's profile: fast, lan or wan.")
    var profile = TimingProfile.lan

    @Option(help: "Write the figures into this file, as JSON.")
    var report: String?

    func validate() throws {
        guard (1...Tour.mostRuns).contains(runs) else { throw ValidationError("--runs takes 1 to \(Tour.mostRuns)") }
    }

    func run() throws {
        var settings = Tour.Settings(specification: try options.specification())
        settings.runs = runs
        settings.keeps = keep
        settings.profile = profile
        settings.report = report
        let interruption = try Interruption()
        let tour = Tour(settings, isInterrupted: { interruption.isThere }, tell: LabUp.tell)
        if try !tour.run() { throw ExitCode.failure }
    }
}

/// A signal that asked for the end, remembered.
final class Interruption {
    private let signals: SignalInput
    private var isKnown = false

    init() throws { signals = try SignalInput([SIGINT, SIGTERM, SIGHUP]) }

    var isThere: Bool {
        if signals.next() != nil { isKnown = true }
        return isKnown
    }
}

struct LabProbe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Ask a service again and again, and print a line per attempt.",
        shouldDisplay: false
    )

    @Argument(help: "ADDRESS:PORT.") var endpoint: Endpoint
    @Option(help: "How many sessions are held; 0 for attempts without any.") var sessions = 0

    func run() throws {
        var settings = ConnectionProbe.Settings(endpoint: endpoint)
        settings.sessions = max(0, sessions)
        var probe = try ConnectionProbe(settings, write: Self.write)
        try probe.run()
    }

    static func write(_ lines: String) {
        print(lines, terminator: "")
        fflush(nil)
    }
}

struct LabOwners: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "owners",
        abstract: "Ask by ARP again and again who has an address, and print a line per question.",
        shouldDisplay: false
    )

    @Argument(help: "An IPv4 address of the service network.") var address: IPAddress

    func run() throws {
        let question = try OwnerQuestion(address, interface: LabNetwork.service.interface)
        try question.run(write: LabProbe.write)
    }
}

extension TimingProfile: ExpressibleByArgument {}

extension IPAddress: ExpressibleByArgument {
    /// Reads the text form.
    public init?(argument: String) { self.init(argument) }
}

extension Endpoint: ExpressibleByArgument {
    /// Reads the text form.
    public init?(argument: String) { self.init(argument) }
}
