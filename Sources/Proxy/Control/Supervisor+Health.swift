import Balancing
import ClusterModel
import LinuxIO
import ProxyControl

/// Health: what is checked, and what follows from results.
extension Supervisor {
    /// What is to be checked.
    var checkTargets: [CheckRunner.Key: CheckRunner.Target] {
        var targets: [CheckRunner.Key: CheckRunner.Target] = [:]
        for live in listeners {
            let listener = live.planned.listener
            let recipe = CheckRecipe(listener)
            let factor = live.planned.isPassive == true ? Int64(max(1, listener.passiveCheckFactor ?? 1)) : 1
            func pace(_ time: Milliseconds) -> Milliseconds {
                Milliseconds(max(ProxyLimits.leastCheckInterval, time.count) * factor)
            }
            for server in live.servers where server.configuration.state != .maint && server.node != .lost {
                let own = server.configuration.endpoint
                if let check = server.configuration.check {
                    targets[CheckRunner.Key(server: server.id)] = CheckRunner.Target(
                        endpoint: Endpoint(address: check.address ?? own.address, port: check.port ?? own.port),
                        recipe: recipe,
                        encryption: server.checkEncryption,
                        inter: pace(check.inter),
                        fastInter: pace(check.fastInter ?? check.inter),
                        downInter: pace(check.downInter ?? check.inter),
                        connectTimeout: listener.timeouts.connect,
                        answerTimeout: listener.timeouts.check
                    )
                }
                if let agent = server.configuration.agent {
                    targets[CheckRunner.Key(server: server.id, isAgent: true)] = CheckRunner.Target(
                        endpoint: Endpoint(address: own.address, port: agent.port),
                        recipe: .agent,
                        inter: pace(agent.inter),
                        fastInter: pace(agent.inter),
                        downInter: pace(agent.inter),
                        connectTimeout: listener.timeouts.connect,
                        answerTimeout: listener.timeouts.check
                    )
                }
            }
        }
        return targets
    }

    /// Takes in check results; publishes if a server changed its state.
    func receive(_ results: [CheckRunner.Result]) {
        var changed = false
        for result in results {
            let change = update(result.key.server) { live in
                if !result.key.isAgent {
                    live.receive(result.report)
                } else if let reply = result.agent {
                    live.receive(reply)
                }
                // An agent that cannot be asked says nothing about its server: that is what checks are for.
            }
            if !result.key.isAgent, result.report.result.isPass { errors.clear(result.key.server) }
            if change { changed = true }
        }
        if changed { announce() }
    }

    /// Acts on servers with too many errors in clients' traffic.
    ///
    /// - Returns: Those whose next check shall come sooner.
    func takeErrors() -> [CheckRunner.Key] {
        var hastened: [CheckRunner.Key] = []
        var changed = false
        for server in observed where errors.take(server) {
            if update(server, { $0.receiveErrors() }) { changed = true }
            hastened.append(CheckRunner.Key(server: server))
        }
        if changed { announce() }
        return hastened
    }

    /// How soon the next check of a server is wanted.
    func pace(of key: CheckRunner.Key) -> HealthMachine.Pace {
        guard !key.isAgent, let place = places[key.server] else { return .steady }
        return self[place].health.pace
    }

    /// Changes a server; whether that changed who gets clients.
    private func update(_ server: Int32, _ change: (inout LiveServer) -> Void) -> Bool {
        guard let place = places[server] else { return false }
        let before = self[place].condition
        change(&self[place])
        return self[place].condition != before
    }

    private func announce() {
        settle(isLogged: true)
        publish()
    }

    /// Brings tracking servers in line with those that they track, and notes what changed its state.
    func settle(isLogged: Bool) {
        follow()
        for listener in listeners.indices {
            var isBack = false
            for server in listeners[listener].servers.indices {
                let live = listeners[listener].servers[server]
                let status = live.condition.status
                guard status != live.shown else { continue }
                listeners[listener].servers[server].since = Clock.wallMilliseconds()
                listeners[listener].servers[server].shown = status
                listeners[listener].servers[server].noteRise(from: live.shown, now: Clock.monotonic())
                let action = live.configuration.onMarkedUp
                let returns = (live.shown == .down || live.shown == .maint) && live.condition.isEligible
                if action == .shutdownBackupSessions, returns, !live.configuration.isBackup { isBack = true }
                guard isLogged else { continue }
                let name = "\(listeners[listener].planned.listener.name)/\(live.configuration.name)"
                Journal.write("server \(name) is \(status.rawValue) (\(live.reason))")
            }
            guard isBack else { continue }
            for server in listeners[listener].servers.indices
            where listeners[listener].servers[server].configuration.isBackup {
                listeners[listener].servers[server].sessions &+= 1
            }
        }
        noteGrowing()
    }

    private func follow() {
        guard listeners.contains(where: { $0.servers.contains { $0.configuration.track != nil } }) else { return }
        var states: [TrackedServer: ServerStatus] = [:]
        for listener in listeners {
            for server in listener.servers where server.configuration.track == nil {
                let name = TrackedServer(listener: listener.planned.listener.name, server: server.configuration.name)
                states[name] = server.condition.status
            }
        }
        for listener in listeners.indices {
            for server in listeners[listener].servers.indices {
                guard let track = listeners[listener].servers[server].configuration.track else { continue }
                listeners[listener].servers[server].tracked = states[track]
            }
        }
    }
}
