import ClusterModel
import LinuxIO
import SealedTransport
import Store
import TransportCore

/// Makes this machine a member of a cluster.
public enum Joining {
    /// How long the cluster may take to answer.
    public static let patience = Duration.seconds(30)

    /// Joins with a token: gets the identity sealed under it and writes the node's files.
    ///
    /// - Parameters:
    ///   - text: The token, as `haven cluster token` printed it.
    ///   - paths: Where the agent's files go.
    /// - Returns: What this machine is now.
    /// - Throws: what is wrong with the token, this machine or the way to the cluster.
    @discardableResult
    public static func join(token text: String, paths: AgentPaths) throws(SetupError) -> Identity {
        try refuseMember(paths)
        guard let token = JoinToken(text: text) else { throw .badToken("it is cut off or mistyped") }
        let document = try fetch(token)
        let identity: Identity
        do {
            identity = try Identity(parsing: document, source: "the cluster's answer")
        } catch { throw .failed("\(error)") }
        try install(identity, paths: paths)
        return identity
    }

    /// Fails when this machine is in a cluster already.
    static func refuseMember(_ paths: AgentPaths) throws(SetupError) {
        let existing: Identity
        do throws(IdentityError) {
            existing = try Identity.load(paths.identity)
        } catch {
            if case .missing = error { return }
            throw .failed("\(error)")
        }
        throw .alreadyMember(existing.clusterName)
    }

    /// Writes identity and an empty store; leaves nothing behind when it fails.
    static func install(_ identity: Identity, paths: AgentPaths) throws(SetupError) {
        do {
            let directory = StateDirectory(path: paths.state)
            try directory.create()
            // An earlier attempt may have been cut off between making the store and writing the identity.
            try directory.remove()
            _ = try DurableStore.create(in: directory)
            try identity.store(paths.identity)
        } catch {
            try? AgentService(paths: paths).destroy()
            throw .failed("\(error)")
        }
    }

    private static func fetch(_ token: JoinToken) throws(SetupError) -> [UInt8] {
        do {
            let now = Clock.monotonic()
            var client = try JoinClient(token, payload: LevelOffer().joining, now: now, deadline: now + patience)
            guard let first = token.endpoints.first,
                let any = IPAddress(bytes: [UInt8](repeating: 0, count: first.address.bytes.count))
            else { throw SetupError.badToken("it names no address") }
            let socket = try DatagramSocket(binding: any, port: 0)
            var poller = try Poller()
            try poller.add(socket.descriptor.number, .read, token: 0)
            var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)
            var events: [Poller.Event] = []
            while case .waiting = client.state {
                for datagram in client.tick(now: Clock.monotonic()) {
                    socket.send(datagram.bytes, to: SocketAddress(datagram.endpoint))
                }
                events.removeAll()
                try poller.wait(until: client.nextDeadline, now: Clock.monotonic(), into: &events)
                while let received = socket.receive(into: &buffer) {
                    guard let peer = received.from.endpoint else { continue }
                    let from = Endpoint(address: peer.address, port: peer.port)
                    let answers = client.receive(&buffer, count: received.count, from: from, now: Clock.monotonic())
                    for answer in answers { socket.send(answer.bytes, to: SocketAddress(answer.endpoint)) }
                }
            }
            return try document(client.state, token)
        } catch let error as SetupError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    private static func document(_ state: JoinClient.State, _ token: JoinToken) throws(SetupError) -> [UInt8] {
        switch state {
        case .joined(let document): return document
        case .refused(let reason): throw .badToken(reason)
        case .timedOut(answered: true): throw .failed("the cluster did not decide in time; try again")
        case .timedOut(answered: false), .waiting:
            let places = token.endpoints.map(\.description).joined(separator: ", ")
            throw .failed(
                "no answer from \(places) within \(patience.components.seconds) s: the token may be used or too old, "
                    + "or UDP port \(JoinDesk.port) is closed by a firewall"
            )
        }
    }
}
