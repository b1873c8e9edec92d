import AdminAPI
import ClusterModel
public import ClusterSetup
import Foundation
import LinuxIO
public import Logging
import NodeCore

/// How an agent shall run.
public struct AgentOptions: Sendable {
    /// Where its files are.
    public var paths = AgentPaths.standard
    /// Whether it asks for real-time priority and locked memory.
    public var realtime = true
    /// Where fence agents are looked for, in order.
    public var fenceAgentPath: [String] = ["/usr/sbin", "/usr/lib/haven/fence-agents"]
    /// The data plane's program; nil runs none.
    public var proxyProgram: String?
    /// The guard's program; nil runs none.
    public var guardProgram: String?

    /// Above every ordinary process and below the kernel's own threads.
    static let realtimePriority: Int32 = 20

    /// The standard places.
    public init() {}
}

/// An agent: one node's part of the cluster, until it is asked to leave.
public enum Agent {
    /// How long the end waits until operators have their answers.
    private static let deliveryPatience = Duration.milliseconds(500)

    /// Runs it on the calling thread, which becomes its core thread.
    ///
    /// - Throws: what keeps it from starting, or makes it stop; each says what to do.
    public static func run(_ options: AgentOptions, log: Logger) throws {
        // Blocked before any thread starts, so that these signals come to the loop alone.
        let signals = try SignalInput([SIGTERM, SIGINT])
        _ = signals.descriptor.number
        let loop = try AgentLoop(try AgentParts(options: options, log: log))
        let server = try AdminServer(path: options.paths.socket) { [inbox = loop.inbox] request, uid in
            await withCheckedContinuation { continuation in
                let answered = Answered(continuation)
                let taken = inbox.put(.request(request, uid: uid) { answered.give($0) })
                if !taken { answered.give(.failed(AdminFailure(.refused, "the agent is overloaded; try again"))) }
            }
        }
        let serving = Task.detached(priority: .medium) {
            do {
                try await server.run()
            } catch {
                log.error("the socket for operators is not served any more: \(error)")
            }
        }
        let ending = try loop.run()
        // Who asked this agent to end is still to be told so.
        let deadline = Clock.monotonic() + Self.deliveryPatience
        while server.unansweredRequests > 0, Clock.monotonic() < deadline {
            Pause.until(Clock.monotonic() + .milliseconds(5))
        }
        serving.cancel()
        switch ending {
        case .left: break
        // Another start of the same version would end in the same way.
        case .fault(let reason) where loop.core.isTooOld: throw AgentRefusal(reason)
        case .anew(let reason), .fault(let reason): throw AgentFailure(reason)
        }
    }
}
