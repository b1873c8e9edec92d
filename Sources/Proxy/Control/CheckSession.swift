import CLinux
import CTLS

/// How a check's connection is encrypted: as those of clients to the server.
struct CheckEncryption: Hashable {
    /// What makes sessions; nil while the server's files cannot be used, and then nothing is sent in clear text.
    var context: TLSContext?
    /// The name that the server is asked for.
    var serverName: String?

    static func == (left: CheckEncryption, right: CheckEncryption) -> Bool {
        left.context === right.context && left.serverName == right.serverName
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(context.map(ObjectIdentifier.init))
        hasher.combine(serverName)
    }
}

/// The encryption of one check's connection; results are counts, 0 for the end, or -errno.
struct CheckSession: ~Copyable {
    private let session: OpaquePointer
    private let wire: UnsafeMutablePointer<haven_wire>

    /// Prepares a session on a connection that stands; nil when that cannot be.
    init?(_ encryption: CheckEncryption, socket: Int32) {
        guard let context = encryption.context else { return nil }
        let wire = UnsafeMutablePointer<haven_wire>.allocate(capacity: 1)
        wire.initialize(to: haven_wire(fd: socket, state: HAVEN_WIRE_READABLE))
        let session = haven_tls_open(context.pointer, wire, 0)
        let isNamed =
            encryption.serverName.map { session != nil && haven_tls_set_server_name(session, $0) == 1 } ?? true
        guard let session, isNamed else {
            SSL_free(session)
            wire.deallocate()
            return nil
        }
        self.session = session
        self.wire = wire
    }

    deinit {
        SSL_free(session)
        wire.deallocate()
    }

    /// Goes on with the handshake; 1 when it is complete.
    func handshake() -> Int {
        expectMore()
        return haven_tls_handshake(session)
    }

    func read(_ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        expectMore()
        return haven_tls_read(session, target, count)
    }

    func write(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        expectMore()
        return haven_tls_write(session, bytes, count)
    }

    /// Says that nothing more will be sent.
    func sayEnd() { haven_tls_say_end(session) }

    /// A check is called for every event, whatever it was; the socket itself tells what there is.
    private func expectMore() { wire.pointee.state |= HAVEN_WIRE_READABLE }
}
