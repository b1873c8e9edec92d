import ArgumentParser
import ClusterAgent
import ClusterSetup
import Foundation
import Logging
import Processes

@main
struct Havend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "havend",
        abstract: "The agent of a Haven cluster: one on every node, started by systemd or by: haven cluster start"
    )

    @Option(help: "Where the node's durable state is kept.")
    var state = AgentPaths.standard.state

    @Option(name: .customLong("run"), help: "Where sockets and the lease are kept; must not survive a reboot.")
    var runDirectory = AgentPaths.standard.run

    @Option(name: .customLong("fence-agents"), help: "A directory that is searched for fence agents first.")
    var fenceAgents: String?

    @Flag(help: "Start the agent again when it crashes (for machines without systemd).")
    var supervise = false

    @Flag(name: .customLong("no-realtime"), help: "Do not ask for real-time priority and locked memory.")
    var noRealtime = false

    func run() throws {
        var log = Logger(label: "havend") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        if supervise {
            try Supervisor(log: log).run(arguments: CommandLine.arguments.dropFirst().filter { $0 != "--supervise" })
            return
        }
        var options = AgentOptions()
        options.paths = AgentPaths(state: state, run: runDirectory)
        options.realtime = !noRealtime
        if let fenceAgents { options.fenceAgentPath.insert(fenceAgents, at: 0) }
        options.proxyProgram = Self.program(beside: "haven-proxy")
        options.guardProgram = Self.program(beside: "haven-guard")
        do {
            try Agent.run(options, log: log)
        } catch let error as AgentRefusal {
            log.critical("\(error)")
            throw ExitCode(AgentRefusal.exitCode)
        } catch {
            log.critical("\(error)")
            throw ExitCode(1)
        }
    }

    /// A program of ours: beside this one, else where the system keeps programs.
    private static func program(beside name: String) -> String? {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = (own as NSString).deletingLastPathComponent + "/" + name
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : Invocation.find(name)
    }
}
