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
    /// Where each server stands in `listeners`, by its number.
    private(set) var places: [Int32: Place] = [:]
    /// Servers whose errors in clients' traffic count.
    private(set) var observed: [Int32] = []
    let errors: ErrorCounts
    private(set) var generation: UInt64 = 0
    private var retiredListeners: [Int32: Listener] = [:]
    private var listenerBook = NumberBook<String>(limit: ProxyLimits.listenerIDs)
    private var serverBook = NumberBook<ServerKey>(limit: ProxyLimits.serverIDs)
    private var binds: [Endpoint: OpenBind] = [:]
    private var nextBind: Int64 = 1
    /// Servers whose shares grow.
    var growing: [Int32] = []
    /// When shares grew last.
    var lastGrowth = Instant.zero
    private var serial: UInt64 = 0
    private var tables: [(serial: UInt64, table: UnsafeMutablePointer<RouteTable>)] = []
    private var closing: [(serial: UInt64, sockets: [Int32])] = []

    /// Where a server stands.
    struct Place {
        var listener: Int
        var server: Int
    }

    /// The server in this place.
    subscript(place: Place) -> LiveServer {
        get { listeners[place.listener].servers[place.server] }
        set { listeners[place.listener].servers[place.server] = newValue }
    }

    private struct ServerKey: Hashable {
        var listener: Int32
        var name: String
    }

    private struct OpenBind {
        var id: Int64
        var sockets: [Int32]
    }

    /// Starts the loops; `alarm` is rung when a server has had too many errors.
    init(threads: Int, lease: LeaseWord?, alarm: Int32) throws(SystemError) {
        errors = ErrorCounts(alarm: alarm)
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
        notePlaces()
        settle(isLogged: false)
        publish()
        return nil
    }

    private func notePlaces() {
        places = [:]
        observed = []
        for (listener, live) in listeners.enumerated() {
            for (server, entry) in live.servers.enumerated() {
                places[entry.id] = Place(listener: listener, server: server)
                if entry.configuration.observe != nil { observed.append(entry.id) }
            }
        }
    }

    private func adopt(_ planned: PlannedListener) -> LiveListener? {
        guard let id = listenerBook.number(for: planned.listener.name) else { return nil }
        let known = listeners.first { $0.id == id }
        var servers: [LiveServer] = []
        for server in planned.listener.servers {
            guard let number = serverBook.number(for: ServerKey(listener: id, name: server.name)) else { return nil }
            let node = planned.nodes[server.name] ?? .available
            let before = known?.servers.first { $0.id == number }
            if before == nil { errors.clear(number) }
            var live = LiveServer(before, server, node, id: number, memory: planned.memories?[server.name])
            encrypt(&live, of: planned, before: before, known?.planned)
            servers.append(live)
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

    private func closeUnused(_ wanted: Set<Endpoint>) {
        for (endpoint, bind) in binds where !wanted.contains(endpoint) {
            binds[endpoint] = nil
            // The loops must have let go of them first; the next table tells them.
            closing.append((serial + 1, bind.sockets))
        }
    }

    /// Binds of the plan that nobody gave sockets for.
    var missingBinds: [Endpoint] { listeners.flatMap(\.planned.listener.binds).filter { binds[$0] == nil } }

    // MARK: Publishing

    /// Builds a table of all that is known now and hands it to the loops.
    func publish() {
        serial += 1
        var builder = TableBuilder(listenerCount: listenerBook.span, serverCount: serverBook.span, errors: errors)
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
