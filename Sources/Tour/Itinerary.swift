internal import AdminAPI
internal import ClusterModel
internal import Lab
internal import LinuxIO

/// Does to the cluster what the steps say, and waits until it has recovered from each.
struct Itinerary {
    let stage: Stage
    let clients: Clients
    /// When the step before ended.
    var previousEnd: Instant
    /// Who lost its power in the step before.
    private var offline: String?

    /// How long a fence, and then the return of the fenced node, may take.
    private static let fencePatience = Duration.seconds(90)

    init(stage: Stage, clients: Clients, previousEnd: Instant) {
        self.stage = stage
        self.clients = clients
        self.previousEnd = previousEnd
    }

    /// Performs one step.
    mutating func perform(_ step: StepName) throws -> StepResult {
        switch step {
        case .standby: try standby()
        case .processDeath: try processDeath()
        case .powerOff: try powerOff()
        case .return: try nodeReturns()
        case .linkDown: try linkDown()
        case .hang: try hang()
        }
    }

    private mutating func standby() throws -> StepResult {
        let active = try activeHost()
        let before = try stage.waitUntilHealthy()
        let other = stage.hosts.first { $0 != active } ?? active
        let fault = Clock.monotonic()
        try stage.type(["haven", "node", "standby", active], on: other)
        try waitUntilAnswered(after: fault)
        let after = try waitUntilMoved(from: active)
        try stage.type(["haven", "node", "unstandby", active], on: other)
        _ = try stage.waitUntilHealthy()
        return try conclude(.standby, fault, before, after, victim: nil)
    }

    private mutating func processDeath() throws -> StepResult {
        let before = try stage.waitUntilHealthy()
        guard let active = stage.place(of: Stage.soloResource, in: before) else {
            throw TourError("\(Stage.soloResource) runs nowhere")
        }
        let fault = Clock.monotonic()
        try stage.type(["sh", "-c", "kill -KILL $(cat \(Stage.soloProcessFile))"], on: active)
        try waitUntilAnswered(after: fault)
        let after = try stage.waitUntilHealthy()
        try stage.type(["haven", "resource", "cleanup", Stage.soloResource], on: active)
        return try conclude(.processDeath, fault, before, after, victim: nil)
    }

    private mutating func powerOff() throws -> StepResult {
        let before = try activeIsLeader()
        let active = try activeHost()
        stage.tell("the power of \(active) is cut")
        let fault = Clock.monotonic()
        let wall = Clock.wallMilliseconds()
        try stage.lab.power(.off, active)
        offline = active
        try waitUntilAnswered(after: fault)
        let fence = try waitForFence(of: active, since: wall)
        let after = stage.status(without: active)
        return try conclude(.powerOff, fault, before, after, victim: active, fence: fence)
    }

    /// The cluster's fence has switched the node on again, or does so now; where it has not, somebody walks there.
    private mutating func nodeReturns() throws -> StepResult {
        let fault = Clock.monotonic()
        let before = stage.status(without: offline)
        if let offline {
            if try !stage.lab.host(offline).isOn {
                stage.tell("the power of \(offline) is switched on")
                try stage.lab.power(.on, offline)
            }
            stage.tell("\(offline) boots")
        }
        let after = try stage.waitUntilHealthy()
        if let offline {
            let seconds = Double((Clock.monotonic() - fault).milliseconds / 100) / 10
            stage.tell("\(offline) is a member again after \(seconds) s, and everything is healthy")
        }
        try clients.waitUntilAnswered(clients.serving, after: Clock.monotonic())
        // Its server was dead until it booted; sessions that still try it may find out late.
        let victim = offline
        offline = nil
        return try conclude(.return, fault, before, after, victim: victim)
    }

    private mutating func linkDown() throws -> StepResult {
        let before = try activeIsLeader()
        let active = try activeHost()
        stage.tell("the cables of \(active) are pulled")
        let fault = Clock.monotonic()
        let wall = Clock.wallMilliseconds()
        try stage.lab.setLink(of: active, up: false)
        try waitUntilAnswered(after: fault)
        let fence = try waitForFence(of: active, since: wall)
        stage.tell("the cables of \(active) are plugged in again")
        try stage.lab.setLink(of: active, up: true)
        return try concludeFenced(.linkDown, fault, before, active, fence)
    }

    private mutating func hang() throws -> StepResult {
        let before = try activeIsLeader()
        let active = try activeHost()
        let fault = Clock.monotonic()
        let wall = Clock.wallMilliseconds()
        stage.tell("SIGSTOP to agent and proxy of \(active)")
        try stage.run(["sh", "-s"], on: active, input: stopScript)
        try waitUntilAnswered(after: fault)
        let fence = try waitForFence(of: active, since: wall)
        for host in stage.hosts where host != active { try tellOfRivals(seenBy: host) }
        return try concludeFenced(.hang, fault, before, active, fence)
    }

    /// What an agent said of others who answered for its addresses.
    private func tellOfRivals(seenBy host: String) throws {
        let lines = try stage.run(["sh", "-c", "grep 'another machine' /var/log/haven/havend.log || true"], on: host)
        for line in lines.split(separator: "\n").suffix(1) {
            stage.tell("\(host) has noticed: \(line.split(separator: "] ", maxSplits: 1).last ?? "")")
        }
    }

    /// By process id, inside the host's own process space.
    private var stopScript: String {
        let executable = stage.lab.specification.executable
        let directory = executable.lastIndex(of: "/").map { executable[..<$0] } ?? ""
        return """
            for process in /proc/[0-9]*; do
              for program in havend haven-proxy; do
                if [ "$process/exe" -ef '\(directory)'/$program ]; then kill -STOP "${process#/proc/}"; fi
              done
            done

            """
    }

    /// The end of a step after which the node comes back by itself.
    private mutating func concludeFenced(
        _ step: StepName,
        _ fault: Instant,
        _ before: StatusView,
        _ victim: String,
        _ fence: Double
    ) throws -> StepResult {
        let after = stage.status(without: victim)
        if try !stage.lab.host(victim).isOn { try stage.lab.power(.on, victim) }
        _ = try stage.waitUntilHealthy()
        stage.tell("\(victim) is a member again, and everything is healthy")
        return try conclude(step, fault, before, after, victim: victim, fence: fence)
    }

    private mutating func conclude(
        _ step: StepName,
        _ fault: Instant,
        _ before: StatusView?,
        _ after: StatusView?,
        victim: String?,
        fence: Double? = nil
    ) throws -> StepResult {
        let end = Clock.monotonic()
        try clients.read()
        var result = clients.result(step, start: previousEnd, fault: fault, end: end, victim: victim)
        previousEnd = end
        result.fence = fence
        for resource in [Stage.addressResource, Stage.soloResource] {
            let (from, to) = (stage.place(of: resource, in: before), stage.place(of: resource, in: after))
            if from != to { result.moved.append("\(resource) \(from ?? "-") -> \(to ?? "-")") }
        }
        let figure = TourReport.figure
        stage.tell(
            "outage: \(figure(result.web)) ms over HTTP, \(figure(result.stream)) ms over TCP, "
                + "\(figure(result.solo)) ms of the process" + (fence.map { "; fenced after \(figure($0)) ms" } ?? "")
        )
        // Shorter ones are an attempt or two that fell into the longest.
        let further = result.further.filter { $0 >= 100 }
        if !further.isEmpty {
            stage.tell("further gaps over HTTP: " + further.map { "\(figure($0)) ms" }.joined(separator: ", "))
        }
        stage.tell(
            "owner of \(Stage.address): \(clients.watch.owners.joined(separator: " and ")), by ARP "
                + "\(clients.newestAnswer); two owners for \(figure(result.doubleOwner)) ms"
        )
        if !result.moved.isEmpty { stage.tell("moved: " + result.moved.joined(separator: ", ")) }
        if !result.wrong.isEmpty { stage.tell("WRONG ANSWERS: " + result.wrong.prefix(10).joined(separator: ", ")) }
        return result
    }

    private func activeHost() throws -> String {
        guard let place = stage.place(of: Stage.addressResource, in: try stage.waitUntilHealthy()) else {
            throw TourError("\(Stage.addressResource) runs nowhere")
        }
        return place
    }

    /// Makes the leader the active host, so that one fault meets both.
    private func activeIsLeader() throws -> StatusView {
        var view = try stage.waitUntilHealthy()
        guard let leader = view.quorum.leader, let host = stage.hosts.first else {
            throw TourError("the cluster has no leader")
        }
        if stage.place(of: Stage.addressResource, in: view) != leader {
            try stage.type(["haven", "resource", "move", Stage.addressResource, leader], on: host)
            let moment = Clock.monotonic()
            try stage.wait(for: "\(Stage.addressResource) moves to \(leader)", patience: .seconds(30)) {
                view = try stage.waitUntilHealthy()
                return stage.place(of: Stage.addressResource, in: view) == leader
            }
            try clients.waitUntilAnswered(clients.serving, after: moment)
        }
        return view
    }

    private func waitUntilAnswered(after fault: Instant) throws {
        try clients.waitUntilAnswered([clients.web, clients.stream], after: fault)
        let hosts = clients.hostsThatAnswered(after: fault).joined(separator: ", ")
        stage.tell("clients are answered, by the servers of \(hosts); \(clients.watch.owners.joined()) has the address")
        try clients.waitUntilAnswered([clients.solo], after: fault)
    }

    private func waitUntilMoved(from host: String) throws -> StatusView? {
        var view: StatusView?
        try stage.wait(for: "everything has left \(host)", patience: .seconds(30)) {
            view = stage.status()
            return [Stage.addressResource, Stage.soloResource].allSatisfy { resource in
                stage.place(of: resource, in: view).map { $0 != host } ?? false
            }
        }
        return view
    }

    /// Milliseconds from a wall-clock time to the verified end of the fence that followed it.
    private func waitForFence(of host: String, since wall: Int64) throws -> Double {
        var fenced: Double?
        try stage.wait(for: "\(host) is fenced", patience: Self.fencePatience) {
            for fence in stage.status(without: host)?.fences ?? [] where fence.node == host {
                if case .verified = fence.record.outcome, let end = fence.record.endedAt, end >= wall {
                    fenced = Double(end - wall)
                }
            }
            return fenced != nil
        }
        stage.tell("\(host) is powered off and verified, \(TourReport.figure(fenced)) ms after the fault")
        return fenced ?? 0
    }
}
