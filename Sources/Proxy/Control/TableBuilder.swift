import Balancing
import CLinux
import CTLS
import ClusterModel
import HTTP1
import LinuxIO
import ProxyControl

/// Builds a `RouteTable` from what the control thread knows.
struct TableBuilder {
    private var listeners: [ListenerEntry]
    private var servers: [ServerEntry]
    private var rows: [ServerRow] = []
    private var rowServers: [Int32] = []
    private var weights: [UInt16] = []
    private var sequences: [UInt16] = []
    private var points: [RingPoint] = []
    private var text: [UInt8] = []
    private var binds: [BindEntry] = []
    private var sockets: [Int32] = []
    private let errors: ErrorCounts
    private var contexts: [OpaquePointer] = []

    /// - Parameters:
    ///   - listenerCount: One more than the highest listener number in use.
    ///   - serverCount: One more than the highest server number in use.
    ///   - errors: Where errors of observed servers are counted.
    init(listenerCount: Int, serverCount: Int, errors: ErrorCounts) {
        self.errors = errors
        listeners = Array(repeating: ListenerEntry(), count: listenerCount)
        servers = Array(repeating: ServerEntry(), count: serverCount)
    }

    mutating func add(_ live: LiveListener) {
        let configuration = live.planned.listener
        var entry = Self.settings(configuration)
        if configuration.mode == .http, let cookie = configuration.cookie {
            entry.hasCookie = true
            entry.cookieName = append(cookie.name)
            entry.cookie = CookieRule(cookie)
        }
        entry.firstRow = Int32(rows.count)
        entry.rowCount = Int32(live.servers.count)
        let conditions = live.servers.map(\.condition)
        let candidates = zip(live.servers, conditions).map { server, condition in
            ActiveServers.Candidate(condition, isBackup: server.configuration.isBackup)
        }
        let steady = ActiveServers.weights(candidates, allBackups: configuration.allBackups)
        let shares = SlowStart.shares(steady, sixteenths: live.servers.map(\.sixteenths))
        for (index, server) in live.servers.enumerated() {
            let (share, isUsable) = (shares[index], conditions[index].isUsable)
            let cookie = configuration.cookieValue(of: server.configuration)
            let value = append(cookie ?? "")
            // `on-marked-down shutdown-sessions`: its connections end because it is down.
            let endsSessions = !isUsable && server.configuration.onMarkedDown == .shutdownSessions
            let isForced = configuration.persist == true && !isUsable && server.node != .lost && !endsSessions
            rows.append(
                ServerRow(
                    cookieOffset: UInt32(value.start),
                    cookieLength: UInt16(value.count),
                    isUsable: isUsable || isForced,
                    isEligible: share > 0,
                    isForced: isForced
                )
            )
            rowServers.append(server.id)
            weights.append(UInt16(share))
            var own = serverEntry(server)
            if let rule = configuration.cookie {
                let line = rule.setCookie(value: cookie)
                own.setCookie = append(line.text)
                own.beforeDates = Int32(line.beforeDates)
                own.cookieValue = value
            }
            own.isUsable = isUsable || isForced
            // A server that is marked down for good reason will answer as little as one whose node is gone.
            own.isLost = server.node == .lost || endsSessions
            servers[Int(server.id)] = own
        }
        entry.tls = keep(live.tls)
        entry.method = Self.method(configuration)
        let sequence = RoundRobin.sequence(weights: shares)
        entry.firstInSequence = Int32(sequences.count)
        entry.sequenceCount = Int32(sequence.count)
        entry.eligible = Int32(shares.count { $0 > 0 })
        sequences += sequence
        if entry.method == .sourceRing || entry.method == .pathRing {
            // Growing shares are in sixteenths, and a unit of weight has sixteen points: others keep theirs.
            let ring = HashRing.points(
                zip(live.servers, shares).map { ($0.configuration.name, $1) },
                pointsPerWeight: shares == steady ? HashRing.pointsPerWeight : 1
            )
            entry.firstPoint = Int32(points.count)
            entry.pointCount = Int32(ring.count)
            points += ring
        }
        listeners[Int(live.id)] = entry
    }

    private static func method(_ configuration: Listener) -> PickMethod {
        let isRing = configuration.hashType == .consistent
        switch configuration.balance {
        case .roundRobin, .staticRoundRobin: return .sequence
        case .leastConnections: return .leastLoaded
        case .first: return .first
        case .random: return .twoRandom
        case .source: return isRing ? .sourceRing : .sourceMap
        // Without HTTP there is no path; such a listener is refused before.
        case .uri where configuration.mode != .http: return .sequence
        case .uri: return isRing ? .pathRing : .pathMap
        }
    }

    /// Keeps the settings of a listener that is no longer in the plan, for connections that it still has.
    mutating func addRemoved(_ id: Int32, _ configuration: Listener) {
        listeners[Int(id)] = Self.settings(configuration)
        listeners[Int(id)].isRemoved = true
    }

    /// Adds an open bind, with one socket per thread.
    mutating func add(_ bind: BindEntry, sockets numbers: [Int32]) {
        binds.append(bind)
        sockets += numbers
    }

    private static func settings(_ configuration: Listener) -> ListenerEntry {
        var entry = ListenerEntry()
        entry.isHTTP = configuration.mode == .http
        entry.isEncrypted = configuration.tls != nil
        entry.forwardsFor = configuration.mode == .http && configuration.forwardFor
        entry.redispatches = configuration.redispatch
        entry.retries = Int32(configuration.retries)
        entry.redispatchInterval = Int32(clamping: configuration.redispatchInterval ?? -1)
        if let words = configuration.retryOn { entry.retryOn = RetryCauses(words) }
        if let mode = configuration.reuse { entry.reuse = ConnectionReuse(mode) }
        entry.maxConnections = Int32(clamping: configuration.maxConnections)
        entry.connect = configuration.timeouts.connect.count
        entry.client = configuration.timeouts.client.count
        entry.server = configuration.timeouts.server.count
        entry.request = configuration.timeouts.httpRequest.count
        let usual = configuration.mode == .http ? ListenerTimeouts.usualTunnel : nil
        let tunnel = configuration.timeouts.tunnel ?? usual
        entry.tunnelClient = (tunnel ?? configuration.timeouts.client).count
        entry.tunnelServer = (tunnel ?? configuration.timeouts.server).count
        entry.turnAround = RetryPolicy.turnAround(connectTimeout: configuration.timeouts.connect).count
        return entry
    }

    private mutating func serverEntry(_ server: LiveServer) -> ServerEntry {
        var entry = ServerEntry()
        let address = SocketAddress(server.configuration.endpoint)
        entry.family = address.family
        entry.addressLength = address.length
        address.withRaw { raw, length in
            for index in 0..<min(Int(length), 28) {
                entry.address[index] = raw.load(fromByteOffset: index, as: UInt8.self)
            }
        }
        entry.isEncrypted = server.configuration.tls != nil
        entry.tls = keep(server.tls)
        if let name = server.configuration.tls?.serverName { entry.serverName = append(name + "\0") }
        entry.sessions = server.sessions
        if let observe = server.configuration.observe {
            entry.errors = errors.base + Int(server.id)
            entry.errorLimit = UInt32(clamping: observe.errorLimit ?? Observation.usualErrorLimit)
            entry.observesAnswers = observe.layer == .layer7
        }
        return entry
    }

    /// The context as the loops see it, with a reference for this table.
    private mutating func keep(_ context: TLSContext?) -> OpaquePointer? {
        guard let context, haven_tls_up_ref(context.pointer) == 1 else { return nil }
        contexts.append(context.pointer)
        return context.pointer
    }

    private mutating func append(_ more: String) -> TextRange {
        let start = text.count
        text += Array(more.utf8)
        return TextRange(start: Int32(start), count: Int32(text.count - start))
    }

    /// Copies everything to memory that outlives the builder.
    func build(serial: UInt64) -> UnsafeMutablePointer<RouteTable> {
        let table = UnsafeMutablePointer<RouteTable>.allocate(capacity: 1)
        table.initialize(
            to: RouteTable(
                serial: serial,
                listeners: Self.copy(listeners),
                servers: Self.copy(servers),
                rows: Self.copy(rows),
                rowServers: Self.copy(rowServers),
                weights: Self.copy(weights),
                sequences: Self.copy(sequences),
                points: Self.copy(points),
                text: Self.copy(text),
                binds: Self.copy(binds),
                contexts: Self.copy(contexts),
                sockets: Self.copy(sockets),
                alarm: errors.alarm
            )
        )
        return table
    }

    private static func copy<Element>(_ elements: [Element]) -> UnsafeMutableBufferPointer<Element> {
        // Never empty, so that every table has an address.
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(1, elements.count))
        _ = buffer.initialize(from: elements)
        return UnsafeMutableBufferPointer(rebasing: buffer[..<elements.count])
    }
}
