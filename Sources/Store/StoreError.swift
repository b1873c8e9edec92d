/// Why durable state could not be read or written; each names the file and, where there is one, the way out.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file holds bytes that this store never wrote, or misses some that it did.
    case damaged(path: String, detail: String)
    /// The file is not there although the node has an identity.
    case missing(path: String)
    /// Another process has the file open.
    case inUse(path: String)
    /// No space is left; nothing of the batch was written, and a later one may succeed.
    case diskFull(path: String)
    /// A read, write or sync failed: what is on the disk is not known, so that nothing is written until a restart.
    case failed(path: String, detail: String)
    /// A file that holds secrets is open to others.
    case exposed(path: String)
    /// The caller asked for what no consensus core may ask for (a gap in the log, a number above 2^63).
    case invalid(detail: String)

    /// Whether it stays as it is until an operator does something.
    public var isLasting: Bool {
        switch self {
        case .damaged, .missing, .exposed: true
        case .inUse, .diskFull, .failed, .invalid: false
        }
    }

    /// The text form.
    public var description: String {
        switch self {
        case .damaged(let path, let detail):
            "\(path) is damaged (\(detail)). The node must not go on with it, because it may have forgotten a vote. "
                + Self.rejoin(path)
        case .missing(let path): "\(path) is missing although this node belongs to a cluster. \(Self.rejoin(path))"
        case .inUse(let path): "\(path) is in use by another process"
        case .diskFull(let path): "no space is left to write \(path)"
        case .failed(let path, let detail): "\(path) could not be read or written: \(detail)"
        case .exposed(let path): "\(path) holds secrets and must be readable by its owner only: chmod 600 \(path)"
        case .invalid(let detail): "invalid use of the store: \(detail)"
        }
    }

    private static func rejoin(_ path: String) -> String {
        "To let this node join again: keep a copy of \(path) if you want one, then haven cluster destroy here, "
            + "haven cluster token on another node, and haven cluster join here with that token"
    }
}
