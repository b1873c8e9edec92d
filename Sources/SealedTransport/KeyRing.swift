internal import Bytes
internal import ClusterModel
internal import Cryptography
internal import TransportCore

/// The keys of one cluster: for every sender's session one, derived from the cluster's secret when it is first needed.
struct KeyRing: ~Copyable {
    private let cluster: ClusterID
    private var secrets: [UInt32: SecretBytes]
    /// Keys that opened something, by sender; the newest last.
    private var known: [NodeID: [Entry]] = [:]

    /// Two sessions under two generations of the secret.
    private static let keysPerSender = 4

    private struct Entry {
        var origin: PeerSession
        var generation: UInt32
        var cipher: AESGCM
    }

    init(cluster: ClusterID, secrets: [UInt32: SecretBytes]) {
        self.cluster = cluster
        self.secrets = secrets
    }

    mutating func install(_ secret: SecretBytes, generation: UInt32) { secrets[generation] = secret }

    mutating func retire(generation: UInt32) {
        secrets[generation] = nil
        for node in known.keys { known[node]?.removeAll { $0.generation == generation } }
    }

    /// The cipher of a sender's session; not remembered before `remember`, because its datagram may be forged.
    func cipher(of origin: PeerSession, generation: UInt32) throws(CryptographyError) -> AESGCM? {
        if let entry = known[origin.node]?.last(where: { $0.origin == origin && $0.generation == generation }) {
            return entry.cipher
        }
        guard let secret = secrets[generation] else { return nil }
        return try AESGCM(key: Self.sendingKey(secret, cluster: cluster, origin: origin, generation: generation))
    }

    /// Keeps the cipher of a session whose datagram was authentic.
    mutating func remember(_ cipher: AESGCM, of origin: PeerSession, generation: UInt32) {
        if known[origin.node]?.contains(where: { $0.cipher === cipher }) == true { return }
        known[origin.node, default: []].append(Entry(origin: origin, generation: generation, cipher: cipher))
        if let count = known[origin.node]?.count, count > Self.keysPerSender { known[origin.node]?.removeFirst() }
    }

    /// HKDF(cluster secret, cluster id, sender, incarnation, session): no two starts of an agent share a key, so that
    /// counters may begin anew with each.
    static func sendingKey(
        _ secret: SecretBytes,
        cluster: ClusterID,
        origin: PeerSession,
        generation: UInt32
    ) throws(CryptographyError) -> SecretBytes {
        var info = ByteWriter(capacity: 64)
        info.write(Array("haven sending key 1".utf8))
        info.write(generation)
        info.write(origin.node.rawValue)
        info.write(origin.incarnation)
        info.write(origin.session.high)
        info.write(origin.session.low)
        var salt = ByteWriter(capacity: 16)
        salt.write(cluster.high)
        salt.write(cluster.low)
        return try HKDFSHA256.derive(from: secret, salt: salt.bytes, info: info.bytes, count: AESGCM.keySize)
    }
}
