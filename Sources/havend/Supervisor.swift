import ArgumentParser
import ClusterAgent
import ClusterModel
import Foundation
import LinuxIO
import Logging
import Processes

/// Starts the agent again when it crashes, as systemd does elsewhere.
struct Supervisor {
    /// The pause before a restart; doubles while the agent keeps crashing at once.
    static let firstPause = Duration.milliseconds(200)
    /// The longest such pause.
    static let longestPause = Duration.seconds(10)
    /// An agent that ran this long starts the pauses anew.
    static let stableTime = Duration.seconds(30)

    let log: Logger

    func run(arguments: [String]) throws {
        let signals = try SignalInput([SIGTERM, SIGINT])
        // By its path: operators look for a process of this name, and an update replaces the file.
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var pause = Self.firstPause
        while true {
            let began = Clock.monotonic()
            let exit = try runOnce(program, arguments, signals)
            guard let exit, !exit.isSuccess else { return }
            // Another try would be refused as well.
            if exit == .exited(code: AgentRefusal.exitCode) { throw ExitCode(AgentRefusal.exitCode) }
            if Clock.monotonic() - began > Self.stableTime { pause = Self.firstPause }
            log.error("the agent ended with \(exit); it is started again in \(pause.milliseconds) ms")
            if try waitOut(pause, signals) { return }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Runs the agent until it ends; SIGTERM is passed on.
    private func runOnce(
        _ program: String,
        _ arguments: [String],
        _ signals: borrowing SignalInput
    ) throws -> ProcessExit? {
        var invocation = Invocation(program, arguments)
        invocation.output = .descriptor(1)
        invocation.errors = .descriptor(2)
        let child = try ChildProcess(invocation)
        var poller = try Poller()
        try child.register(in: &poller, token: 0)
        try poller.add(signals.descriptor.number, .read, token: 1)
        var events: [Poller.Event] = []
        while child.exit == nil {
            events.removeAll()
            try poller.wait(until: nil, now: Clock.monotonic(), into: &events)
            while signals.next() != nil { child.signalGroup(SIGTERM) }
            child.progress()
        }
        return child.exit
    }

    /// Waits; true when a signal asks to end.
    private func waitOut(_ pause: Duration, _ signals: borrowing SignalInput) throws -> Bool {
        var poller = try Poller()
        try poller.add(signals.descriptor.number, .read, token: 1)
        var events: [Poller.Event] = []
        let now = Clock.monotonic()
        try poller.wait(until: now + pause, now: now, into: &events)
        return signals.next() != nil
    }
}
