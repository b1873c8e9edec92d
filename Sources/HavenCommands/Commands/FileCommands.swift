import AdminAPI
import ArgumentParser
import ClusterConfig
import ClusterModel

/// `plan`.
struct PlanCommand: AgentCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what apply would change, and changes nothing."
    )

    @Option(name: [.short, .long], help: "The cluster file; - is standard input.")
    var file: String

    func run(_ session: Session) throws(CommandFailure) {
        let proposal = try Proposal(file: file, session)
        for difference in proposal.differences { session.print("\(difference)") }
        if proposal.differences.isEmpty { session.print("nothing would change") }
    }
}

/// `apply`.
struct ApplyCommand: AgentCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Makes the configuration what a file says: all of it, or nothing."
    )

    @Option(name: [.short, .long], help: "The cluster file; - is standard input.")
    var file: String

    func run(_ session: Session) throws(CommandFailure) {
        let proposal = try Proposal(file: file, session)
        if proposal.differences.isEmpty, !proposal.hasSecrets { return session.print("nothing changes") }
        for difference in proposal.differences { session.print("\(difference)") }
        if proposal.differences.isEmpty { session.print("secrets are stored again; nothing else changes") }
        // With the version that the differences were made from: what was shown is what happens.
        try session.carryOut(.edit(.replaceAll(proposal.configuration), expected: proposal.version))
    }
}

/// What a file would make of the cluster.
private struct Proposal {
    /// The file's configuration with its secrets.
    var configuration: ClusterConfiguration
    /// Whether the file gives secrets, whose changes nobody is shown.
    var hasSecrets: Bool
    /// The version that it was compared with.
    var version: ConfigurationVersion
    /// What would change.
    var differences: [ConfigurationDifference]

    init(file: String, _ session: Session) throws(CommandFailure) {
        let text = try session.readFile(file)
        let document: ClusterDocument
        do throws(Diagnostics) {
            document = try ClusterDocument(yaml: text)
        } catch {
            throw CommandFailure(.failed, error.text(file: file))
        }
        configuration = try document.resolved { _, parameter, source throws(CommandFailure) in
            try session.readSecret(parameter, source)
        }
        hasSecrets = document.secrets.values.contains { $0.values.contains { $0 != .stored } }
        let current: ClusterConfiguration
        (current, version) = try session.configuration()
        let merged: ClusterConfiguration
        do throws(EditError) {
            merged = try current.merging(configuration)
        } catch {
            throw CommandFailure(.failed, "\(file): \(error)")
        }
        let problems = merged.validate()
        if !problems.isEmpty {
            throw CommandFailure(.failed, document.diagnostics(for: problems).text(file: file))
        }
        differences = ConfigurationDifference.between(current, merged)
    }
}
