internal import ClusterModel
internal import LinuxIO

/// The lab's switched power outlets: a service on the management network that hosts reach with `fence_lab_pdu`.
///
/// One request per connection, two lines: the password; then `status`, `on` or `off` with the outlet, or `list`. One
/// line comes back: `ok on`, `ok off`, `ok ctl1 ctl2`, or `error` and a reason.
public struct PowerService: ~Copyable {
    private let lab: Lab
    private let password: String
    private let listener: Descriptor
    private var poller: Poller
    private var connections: [UInt64: Connection] = [:]
    private var nextToken: UInt64 = 1

    /// More than this at once are turned away.
    static let mostConnections = 32
    /// A longer request is cut off.
    static let longestRequest = 512
    /// A client has this long to say what it wants.
    static let patience = Duration.seconds(5)

    private final class Connection {
        let socket: Descriptor
        let deadline: Instant
        var request: [UInt8] = []

        init(socket: consuming Descriptor, deadline: Instant) {
            self.socket = socket
            self.deadline = deadline
        }
    }

    /// Opens the service of a lab; to be called in its management namespace.
    ///
    /// The lab may still be on its way up.
    public init(lab name: String) throws {
        let paths = LabPaths(lab: name)
        let specification = try Lab.readSpecification(paths)
        guard let password = LabFiles.read(Self.passwordFile(paths)), !password.isEmpty else {
            throw LabError.failed("\(Self.passwordFile(paths)) holds no password")
        }
        guard let address = IPAddress(LabSpecification.powerServiceAddress) else {
            throw LabError.invalid(LabSpecification.powerServiceAddress)
        }
        let listener = try StreamSocket.listen(
            on: Endpoint(address: address, port: LabSpecification.powerServicePort),
            .init()
        )
        let poller = try Poller()
        try poller.add(listener.number, .read, token: 0)
        self.lab = Lab(specification)
        self.password = password
        self.listener = listener
        self.poller = poller
    }

    static func passwordFile(_ paths: LabPaths) -> String { "\(paths.powerService)/password" }

    /// Serves until the process is killed.
    public mutating func run() throws {
        while true {
            var events: [Poller.Event] = []
            let now = Clock.monotonic()
            try poller.wait(until: connections.values.map(\.deadline).min(), now: now, into: &events)
            for event in events {
                if event.token == 0 { accept() } else { read(event.token) }
            }
            let late = Clock.monotonic()
            connections = connections.filter { $0.value.deadline > late }
        }
    }

    private mutating func accept() {
        // A failure concerns the one who connected, never the service.
        while let (number, _) = try? StreamSocket.accept(from: listener.number) {
            let socket = Descriptor(owning: number)
            guard connections.count < Self.mostConnections, (try? poller.add(number, .read, token: nextToken)) != nil
            else { continue }
            connections[nextToken] = Connection(socket: socket, deadline: Clock.monotonic() + Self.patience)
            nextToken += 1
        }
    }

    private mutating func read(_ token: UInt64) {
        guard let connection = connections[token] else { return }
        guard let bytes = try? connection.socket.read(upTo: Self.longestRequest), !bytes.isEmpty else {
            connections[token] = nil
            return
        }
        connection.request += bytes
        let lines = connection.request.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count > 2 || connection.request.count >= Self.longestRequest else { return }
        let answer = lines.count > 2 ? answer(password: lines[0], request: lines[1]) : "error request too long"
        // Best effort: a client that does not take its line has gone.
        _ = try? connection.socket.write(Array("\(answer)\n".utf8))
        connections[token] = nil
    }

    private func answer(password given: ArraySlice<UInt8>, request: ArraySlice<UInt8>) -> String {
        guard Self.isEqual(Array(given), Array(password.utf8)) else { return "error wrong password" }
        let words = String(decoding: request, as: UTF8.self).split(separator: " ").map(String.init)
        if words == ["list"] { return (["ok"] + lab.specification.hosts).joined(separator: " ") }
        guard words.count == 2 else { return "error expected: status|on|off OUTLET, or list" }
        do throws(LabError) {
            switch words[0] {
            case "status": break
            case "on": try lab.power(.on, words[1])
            case "off": try lab.power(.off, words[1])
            default: return "error unknown request \(words[0])"
            }
            guard lab.specification.hosts.contains(words[1]) else {
                throw .unknownHost(words[1], known: lab.specification.hosts)
            }
            return try lab.host(words[1]).isOn ? "ok on" : "ok off"
        } catch {
            return "error \(error)"
        }
    }

    /// Takes the same time wherever they differ.
    private static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
