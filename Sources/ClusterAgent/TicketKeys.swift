import Bytes
import ClusterModel
import Cryptography
import ProxyControl

/// Keys that seal TLS session tickets (RFC 5077, RFC 8446 §4.6.1): the same on every node, so that a session goes on where a
/// virtual IP has moved to, and new ones every day, so that a key that gets known opens no more than that.
///
/// They come from the cluster's secret and the day, and so need no messages. Clocks may be apart: the keys of the day before
/// and of the day after open, too.
enum TicketKeys {
    private static let day: Int64 = 86_400_000

    /// The keys of a moment, in milliseconds since 1970; the first one seals.
    static func keys(from secret: SecretBytes, wallClock: Int64) -> [Secret] {
        let today = wallClock / day
        return [today, today - 1, today + 1].compactMap { day in
            let info = Array("haven TLS session tickets, day \(day)".utf8)
            let key = try? HKDFSHA256.derive(from: secret, salt: [], info: info, count: PlannedTLS.ticketKeyBytes)
            return key.map { key in
                var bytes = key.exposed()
                defer { SecretBytes.wipe(&bytes) }
                return Secret(Hex.encode(bytes))
            }
        }
    }
}
