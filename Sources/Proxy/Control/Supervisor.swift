import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl

/// What the control thread knows and decides: the plan, health, numbers, and which table the loops shall use.
///
/// Everything here is ordinary code of one thread; the loops see only the tables that it publishes.
final class Supervisor {
    let threads: LoopThreads
    var listeners: [LiveListener] = []
    private(set) var generation: UInt64 = 0
    private var retiredListeners: [Int32: Listener] = [:]
    private var listenerBook = NumberBook<String>(limit: ProxyLimits.listenerIDs)
    private var serverBook = NumberBook<ServerKey>(limit: ProxyLimits.serverIDs)
    private var binds: [Endpoint: OpenBind] = [:]
    private var nextBind: Int64 = 1
    /// When shares grew last.
    var lastGrowth = Instant.zero
    private var serial: UInt64 = 0
    private var tables: [(serial: UInt64, table: UnsafeMutablePointer<RouteTable>)] = []
    private var closing: [(serial: UInt64, sockets: [Int32])] = []

    private struct ServerKey: Hashable {
        var listener: Int32
        var name: String
    }

    private struct OpenBind {
        var id: Int64
        var sockets: [Int32]
    }

    init(threads: Int, lease: LeaseWord?) throws(SystemError) {
        self.threads = try LoopThreads(count: threads, lease: lease)
    }

    /// Ends the loops and closes everything.
    func stop() {
        threads.stop()
        for (_, table) in tables { RouteTable.destroy(table) }
        tables = []
        let open = closing.flatMap(\.sockets) + binds.values.flatMap(\.sockets)
        for number in open { _ = haven_close(number) }
        binds = [:]
        closing = []
    }

    // MARK: Sockets

    /// Endpoints that there are sockets for.
    var held: [Endpoint] { binds.keys.sorted { $0.description < $1.description } }

    /// Takes over listening sockets, one per thread; refuses a wrong number or a second set.
    func adopt(_ sockets: [Int32], for endpoint: Endpoint) -> Bool {
        guard sockets.count == threads.count, binds[endpoint] == nil else { return false }
        for number in sockets {
            // Accepted sockets inherit it.
            _ = haven_setsockopt_int(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        }
        binds[endpoint] = OpenBind(id: nextBind, sockets: sockets)
        nextBind += 1
        return true
    }

    // MARK: Plans

    /// Makes a plan the current one; what it names and what goes on existing keeps its health and its counters.
    ///
    /// - Returns: Why not; nil when it runs.
    func apply(_ plan: ProxyPlan) -> String? {
        if let fault = plan.fault { return fault }
        for live in listeners { retiredListeners[live.id] = live.planned.listener }
        var fresh: [LiveListener] = []
        for planned in plan.listeners {
            guard let live = adopt(planned) else {
                return "too many connections still use removed listeners or servers"
            }
            fresh.append(live)
            retiredListeners[live.id] = nil
        }
        listeners = fresh
        generation = plan.generation
        listenerBook.keepOnly(Set(fresh.map(\.planned.listener.name)))
        serverBook.keepOnly(
            Set(
                fresh.flatMap { live in live.servers.map { ServerKey(listener: live.id, name: $0.configuration.name) } }
            )
        )
        closeUnused(Set(plan.listeners.flatMap(\.listener.binds)))
        publish()
        return nil
    }

    private func adopt(_ planned: PlannedListener) -> LiveListener? {
        guard let id = listenerBook.number(for: planned.listener.name) else { return nil }
        let known = listeners.first { $0.id == id }
        var servers: [LiveServer] = []
        for server in planned.listener.servers {
            guard let number = serverBook.number(for: ServerKey(listener: id, name: server.name)) else { return nil }
            let node = planned.nodes[server.name] ?? .available
            servers.append(merge(known?.servers.first { $0.id == number }, server, node, number))
        }
        var live = LiveListener(
            id: id,
            planned: planned,
            servers: servers,
            created: known?.created ?? Clock.monotonic()
        )
        encrypt(&live, known: known)
        return live
    }

    /// A server with the health that it has already; another address makes it another server.
    private func merge(_ known: LiveServer?, _ server: Server, _ node: NodeCondition, _ id: Int32) -> LiveServer {
        let check = server.check ?? ServerCheck()
        let fresh = HealthMachine(rise: check.rise, fall: check.fall)
        let now = Clock.wallMilliseconds()
        guard var live = known, live.configuration.endpoint == server.endpoint else {
            return LiveServer(
                id: id,
                configuration: server,
                node: node,
                health: fresh,
                lastCheck: nil,
                since: now,
                created: known?.created ?? Clock.monotonic()
            )
        }
        let before = live.condition.status
        // A node that was lost comes back as a machine that has just booted.
        if live.node == .lost, node != .lost { live.health.distrust() }
        live.configuration = server
        live.node = node
        // While nothing checks it, nothing is known about it.
        if server.check == nil || server.state == .maint {
            live.health = fresh
        } else {
            live.health.configure(rise: check.rise, fall: check.fall)
        }
        if live.condition.status != before { live.since = now }
        live.noteRise(from: before, now: Clock.monotonic())
        return live
    }

    private func closeUnused(_ wanted: Set<Endpoint>) {
        for (endpoint, bind) in binds where !wanted.contains(endpoint) {
            binds[endpoint] = nil
            // The loops must have let go of them first; the next table tells them.
            closing.append((serial + 1, bind.sockets))
        }
    }

    /// Binds of the plan that nobody gave sockets for.
    var missingBinds: [Endpoint] { listeners.flatMap(\.planned.listener.binds).filter { binds[$0] == nil } }

    // MARK: Health

    /// What is to be checked, by server number.
    var checkTargets: [Int32: CheckRunner.Target] {
        var targets: [Int32: CheckRunner.Target] = [:]
        for live in listeners {
            let listener = live.planned.listener
            for server in live.servers where server.configuration.state != .maint && server.node != .lost {
                guard let check = server.configuration.check else { continue }
                let endpoint = server.configuration.endpoint
                targets[server.id] = CheckRunner.Target(
                    endpoint: Endpoint(address: endpoint.address, port: check.port ?? endpoint.port),
                    http: listener.httpCheck,
                    inter: max(10, check.inter),
                    connectTimeout: listener.timeouts.connect,
                    answerTimeout: listener.timeouts.check
                )
            }
        }
        return targets
    }

    /// Takes in check results; publishes if a server changed its state.
    func receive(_ results: [CheckRunner.Result]) {
        var changed = false
        for result in results {
            for index in listeners.indices {
                guard let at = listeners[index].servers.firstIndex(where: { $0.id == result.server }) else { continue }
                if receive(result.report, listener: index, server: at) { changed = true }
            }
        }
        if changed { publish() }
    }

    private func receive(_ report: CheckReport, listener: Int, server: Int) -> Bool {
        let before = listeners[listener].servers[server].condition.status
        listeners[listener].servers[server].lastCheck = report
        let transition = listeners[listener].servers[server].health.receive(passed: report.result.isPass)
        guard transition != nil else { return false }
        listeners[listener].servers[server].noteRise(from: before, now: Clock.monotonic())
        let live = listeners[listener].servers[server]
        if live.condition.status != before {
            listeners[listener].servers[server].since = Clock.wallMilliseconds()
            let name = "\(listeners[listener].planned.listener.name)/\(live.configuration.name)"
            let status = report.httpStatus.map { ", status \($0)" } ?? ""
            Journal.write("server \(name) is \(live.condition.status.rawValue) (\(report.result.rawValue)\(status))")
        }
        return true
    }

    // MARK: Publishing

    /// Builds a table of all that is known now and hands it to the loops.
    func publish() {
        serial += 1
        var builder = TableBuilder(listenerCount: listenerBook.span, serverCount: serverBook.span)
        for (id, configuration) in retiredListeners { builder.addRemoved(id, configuration) }
        for live in listeners {
            builder.add(live)
            for endpoint in live.planned.listener.binds {
                guard let bind = binds[endpoint] else { continue }
                let isVirtual = live.planned.virtualBinds.contains(endpoint)
                builder.add(BindEntry(id: bind.id, listener: live.id, isVirtual: isVirtual), sockets: bind.sockets)
            }
        }
        let table = builder.build(serial: serial)
        tables.append((serial, table))
        threads.publish(table)
    }

    /// The newest table's serial.
    var publishedSerial: UInt64 { serial }

    /// The serial of the oldest table that a loop uses: it and all before it are taken over by every loop.
    var appliedSerial: UInt64 { threads.oldestInUse }

    /// Frees what no loop uses any more; called now and then.
    func tidy() {
        let oldest = threads.oldestInUse
        while tables.count > 1, tables[0].serial < oldest {
            RouteTable.destroy(tables.removeFirst().table)
        }
        for entry in closing where entry.serial <= oldest {
            for number in entry.sockets { _ = haven_close(number) }
        }
        closing.removeAll { $0.serial <= oldest }
        guard oldest >= serial else { return }
        for id in listenerBook.retired where threads.total({ $0.value(.open, listener: id) }) == 0 {
            for counters in threads.counters { counters.clear(listener: id) }
            retiredListeners[id] = nil
            listenerBook.release(id)
        }
        for id in serverBook.retired
        where threads.total({ $0.value(.open, server: id) &+ $0.value(.idle, server: id) }) == 0 {
            for counters in threads.counters { counters.clear(server: id) }
            serverBook.release(id)
        }
    }

    /// Whether `tidy` has something to wait for.
    var isUntidy: Bool {
        tables.count > 1 || !closing.isEmpty || !listenerBook.retired.isEmpty || !serverBook.retired.isEmpty
    }
}

/// Lines for the operator's log, on standard error.
enum Journal {
    static func write(_ line: String) {
        let bytes = Array("haven-proxy: \(line)\n".utf8)
        _ = haven_write(2, bytes, bytes.count)
    }
}
