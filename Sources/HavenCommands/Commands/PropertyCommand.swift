import AdminAPI
import ArgumentParser
import ClusterConfig
import ClusterModel

/// `property`.
struct PropertyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "property",
        abstract: "Cluster-wide settings.",
        subcommands: [Set.self, Show.self]
    )

    /// `property set`.
    struct Set: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets properties; an empty value means the default.",
            discussion: """
                arbiter=ADDRESS[,ADDRESS …] (4 at most) names machines outside of the cluster, such as the default gateway. It is for \
                two voters with stonith-enabled=false: when the other node is silent, a node goes on alone only while one \
                of the addresses answers its pings. A silent arbiter forbids it; an answer permits nothing by itself.
                """
        )

        @Argument(help: ArgumentHelp("NAME=VALUE, such as stonith-enabled=false.", valueName: "name=value"))
        var words: [String]

        func run(_ session: Session) throws(CommandFailure) {
            var properties: [ClusterProperty] = []
            for setting in try Words.settings(words, example: "stonith-enabled=false") {
                do throws(EditError) {
                    properties.append(try ClusterProperty(name: setting.name, value: setting.value))
                } catch {
                    throw CommandFailure(.usage, "\(error)")
                }
            }
            // All are read before the first is set, so that a slip of the pen sets none.
            for property in properties { try session.edit(.setProperty(property)) }
            let namesArbiter = properties.contains { if case .arbiter(_?) = $0 { true } else { false } }
            if namesArbiter, let reason = try session.configuration().0.arbiterIdleness {
                session.print("arbiter has no effect for now: \(reason)")
            }
        }
    }

    /// `property show`.
    struct Show: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Shows properties.", aliases: ["config"])

        @Argument(help: "The properties; all where none is named.")
        var names: [String] = []

        @Flag(help: "Write JSON.")
        var json = false

        @Flag(help: "Show the times that derive from the profile, as this node uses them.")
        var derived = false

        func run(_ session: Session) throws(CommandFailure) {
            if derived { return try showDerived(session) }
            for name in names where !ClusterProperty.names.contains(name) {
                let unknown = EditError.unknown(.property, name, known: ClusterProperty.names)
                throw CommandFailure(.usage, "\(unknown)")
            }
            let configuration = try session.configuration().0
            let properties = configuration.properties
            let listed = properties.listed.filter { names.isEmpty || names.contains($0.name) }
            if json {
                return try session.printJSON(Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0.value) }))
            }
            for property in listed {
                var remark = property.isDefault ? " (default)" : ""
                if property.name == "arbiter", let reason = configuration.arbiterIdleness {
                    remark = " (no effect: \(reason))"
                }
                session.print("\(property.name)=\(property.value)\(remark)")
            }
        }

        private func showDerived(_ session: Session) throws(CommandFailure) {
            guard names.isEmpty else { throw CommandFailure(.usage, "give names or --derived, not both") }
            guard case .timing(let view) = try session.ask(.timing) else { throw Session.unexpected }
            if json { return try session.printJSON(view) }
            session.print(TimingText.text(view))
        }
    }
}
