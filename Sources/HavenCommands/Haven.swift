import ArgumentParser
import ClusterConfig
import ClusterModel

/// The command `haven`.
public enum Haven {
    /// Runs a command line (without the program's name) and says which code to exit with.
    public static func run(_ arguments: [String], _ session: Session) -> Int32 {
        do {
            var command = try HavenCommand.parseAsRoot(arguments)
            guard let own = command as? any AgentCommand else {
                try command.run()
                return CommandFailure.Code.done.rawValue
            }
            try own.run(session)
            return CommandFailure.Code.done.rawValue
        } catch let failure as CommandFailure {
            session.printError(prefixed(failure.message))
            return failure.code.rawValue
        } catch {
            return report(error, session)
        }
    }

    /// What ArgumentParser threw, or a command that is not ours to render.
    private static func report(_ error: any Error, _ session: Session) -> Int32 {
        let text = HavenCommand.fullMessage(for: error)
        switch HavenCommand.exitCode(for: error) {
        // Help and version were asked for.
        case .success:
            if !text.isEmpty { session.print(text) }
            return CommandFailure.Code.done.rawValue
        case .validationFailure:
            session.printError(text)
            return CommandFailure.Code.usage.rawValue
        case let code:
            if !text.isEmpty { session.printError(text) }
            return code.rawValue
        }
    }

    /// `Error: ` before each line, as ArgumentParser writes its own.
    private static func prefixed(_ message: String) -> String {
        message.split(separator: "\n").map { "Error: \($0)" }.joined(separator: "\n")
    }
}

/// A command that speaks to the agent.
protocol AgentCommand: ParsableCommand {
    func run(_ session: Session) throws(CommandFailure)
}

/// The root of all commands.
struct HavenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "haven",
        abstract: "Keeps a control plane reachable: virtual IPs, services, fencing and load balancing on one cluster.",
        discussion: "Exit codes: 0 done, 1 failed, 2 usage, 3 no quorum or no agent.",
        version: "0.1",
        subcommands: [
            ClusterCommand.self, StatusCommand.self, QuorumCommand.self, LinkCommand.self, KeyCommand.self,
            PropertyCommand.self,
            NodeCommand.self,
            ResourceCommand.self, ConstraintCommand.self, StonithCommand.self, LoadBalancerCommand.self,
            PlanCommand.self, ApplyCommand.self, FailoverCommand.self, LabCommand.self,
        ]
    )
}

/// Words that are all `NAME=VALUE`.
enum Words {
    static func settings(_ words: [String], example: String) throws(CommandFailure) -> [Setting] {
        var settings: [Setting] = []
        for word in words {
            guard let setting = Setting(word) else {
                throw CommandFailure(.usage, "\"\(word)\" is no NAME=VALUE; give for example \(example)")
            }
            settings.append(setting)
        }
        return settings
    }

    /// What reading words gives; their problems are a usage error.
    static func reading<Value>(_ body: () throws(WordProblems) -> Value) throws(CommandFailure) -> Value {
        do throws(WordProblems) {
            return try body()
        } catch {
            throw CommandFailure(error)
        }
    }

    /// A score, as in `score=50` or `50`.
    static func score(_ text: String) throws(CommandFailure) -> Score {
        guard let score = Score(text) else {
            let remedy = "give a whole number up to 1000000, INFINITY or -INFINITY"
            throw CommandFailure(.usage, "score cannot be \"\(text)\"; \(remedy)")
        }
        return score
    }
}
