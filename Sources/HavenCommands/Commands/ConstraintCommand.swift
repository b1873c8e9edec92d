import ArgumentParser
import ClusterConfig
import ClusterModel

/// `constraint`.
struct ConstraintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "constraint",
        abstract: "Where resources want to be, and with what.",
        subcommands: [Location.self, Colocation.self, Config.self, Delete.self]
    )

    /// `constraint location`.
    struct Location: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How much a resource wants a node.",
            subcommands: [Add.self, Config.self, Delete.self, Prefers.self],
            defaultSubcommand: Prefers.self
        )

        /// `constraint location add`.
        struct Add: AgentCommand {
            static let configuration = CommandConfiguration(
                abstract: "Adds a preference: [ID] RESOURCE NODE SCORE.",
                discussion: """
                    haven constraint location add VirtualIP controller1 score=50
                    haven constraint location add my-id VirtualIP controller1 INFINITY
                    """
            )

            // "-INFINITY" is a word like the others.
            @Argument(parsing: .allUnrecognized, help: ArgumentHelp("[ID] RESOURCE NODE SCORE.", valueName: "word"))
            var words: [String]

            func run(_ session: Session) throws(CommandFailure) {
                let usage = CommandFailure(
                    .usage,
                    "give [ID] RESOURCE NODE SCORE, such as VirtualIP controller1 score=50"
                )
                var bare: [String] = []
                var score: Score?
                var id: String?
                for word in words {
                    switch Setting(word) {
                    case .some(let setting) where setting.name == "score": score = try Words.score(setting.value)
                    case .some(let setting) where setting.name == "id": id = setting.value
                    case .some: throw usage
                    case .none: bare.append(word)
                    }
                }
                if score == nil, bare.count >= 3, let last = bare.popLast() { score = try Words.score(last) }
                if bare.count == 3, id == nil { id = bare.removeFirst() }
                guard bare.count == 2, let score else { throw usage }
                try session.edit(.addLocation(resource: bare[0], node: bare[1], score: score, id: id))
            }
        }

        /// `constraint location RESOURCE prefers NODE[=SCORE] …`, pcs's other form.
        struct Prefers: AgentCommand {
            static let configuration = CommandConfiguration(
                commandName: "of",
                abstract: "RESOURCE prefers|avoids NODE[=SCORE] …",
                shouldDisplay: false
            )

            @Argument(help: "The resource.")
            var resource: String

            @Argument(help: "prefers or avoids.")
            var verb: String

            @Argument(help: "NODE or NODE=SCORE; INFINITY without a score.")
            var nodes: [String]

            func run(_ session: Session) throws(CommandFailure) {
                guard ["prefers", "avoids"].contains(verb) else {
                    throw CommandFailure(.usage, "\"\(verb)\" is neither prefers nor avoids")
                }
                var edits: [ConfigurationEdit] = []
                for word in nodes {
                    let setting = Setting(word) ?? Setting(name: word, value: "INFINITY")
                    var score = try Words.score(setting.value)
                    if verb == "avoids" { score = Score(-Int(score.value)) }
                    edits.append(.addLocation(resource: resource, node: setting.name, score: score, id: nil))
                }
                for edit in edits { try session.edit(edit) }
            }
        }

        /// `constraint location config`.
        struct Config: AgentCommand {
            static let configuration = CommandConfiguration(abstract: "Shows preferences for nodes.")

            @Flag(help: "Write JSON.")
            var json = false

            func run(_ session: Session) throws(CommandFailure) {
                let configuration = try session.configuration().0
                if json { return try session.printJSON(configuration.locations) }
                session.print(ConfigurationText.locations(configuration))
            }
        }
    }

    /// `constraint colocation`.
    struct Colocation: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What runs together or apart.",
            subcommands: [Add.self, Config.self, Delete.self]
        )

        /// `constraint colocation add`.
        struct Add: AgentCommand {
            static let configuration = CommandConfiguration(
                abstract: "Adds a colocation: RESOURCE with RESOURCE [score=SCORE] [id=ID].",
                discussion: "haven constraint colocation add VirtualIP with HAProxy score=INFINITY"
            )

            // "-INFINITY" is a word like the others.
            @Argument(
                parsing: .allUnrecognized,
                help: ArgumentHelp("RESOURCE with RESOURCE [score=SCORE] [id=ID].", valueName: "word")
            )
            var words: [String]

            func run(_ session: Session) throws(CommandFailure) {
                var bare: [String] = []
                var score: Score?
                var id: String?
                for word in words {
                    switch Setting(word) {
                    case .some(let setting) where setting.name == "score": score = try Words.score(setting.value)
                    case .some(let setting) where setting.name == "id": id = setting.value
                    case .some(let setting):
                        throw CommandFailure(.usage, "a colocation has no \"\(setting.name)\"; give score= and id=")
                    case .none: bare.append(word)
                    }
                }
                // Older pcs takes the score as the last word.
                if score == nil, bare.count == 4, let last = bare.popLast() { score = try Words.score(last) }
                guard bare.count == 3, bare[1] == "with" else {
                    let example = "VirtualIP with HAProxy score=INFINITY"
                    throw CommandFailure(.usage, "give RESOURCE with RESOURCE [score=SCORE], such as \(example)")
                }
                let edit = ConfigurationEdit.addColocation(
                    resource: bare[0],
                    with: bare[2],
                    score: score ?? .infinity,
                    id: id
                )
                try session.edit(edit)
            }
        }

        /// `constraint colocation config`.
        struct Config: AgentCommand {
            static let configuration = CommandConfiguration(abstract: "Shows what runs together or apart.")

            @Flag(help: "Write JSON.")
            var json = false

            func run(_ session: Session) throws(CommandFailure) {
                let configuration = try session.configuration().0
                if json { return try session.printJSON(configuration.colocations) }
                session.print(ConfigurationText.colocations(configuration))
            }
        }
    }

    /// `constraint config`.
    struct Config: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Shows all constraints.")

        func run(_ session: Session) throws(CommandFailure) {
            let configuration = try session.configuration().0
            session.print(ConfigurationText.locations(configuration))
            session.print(ConfigurationText.colocations(configuration))
        }
    }

    /// `constraint delete`, also below `location` and `colocation`.
    struct Delete: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes constraints by id.", aliases: ["remove"])

        @Argument(help: "The ids; config shows them.")
        var ids: [String]

        func run(_ session: Session) throws(CommandFailure) {
            for id in ids { try session.edit(.deleteConstraint(id: id)) }
        }
    }
}
