import Bytes
public import ClusterModel
import Foundation
import LinuxIO

/// Who a node is: written once when it joins, read at every start of its agent.
public struct Identity: Codable, Sendable {
    /// The cluster.
    public var cluster: ClusterID
    /// The cluster's name.
    public var clusterName: String
    /// 64 hexadecimal digits: who holds them can speak for any member.
    public var secret: Secret
    /// Which generation of the secret that is; nil for the first.
    public var generation: UInt32?
    /// This node.
    public var node: NodeID
    /// The nodes that the cluster was set up with, from which every log begins; later changes are in the replicated
    /// configuration.
    public var nodes: [Node]
    /// The nodes as this one knew them last; nil while they are those of the set-up.
    public var members: [Node]?
    /// Whether the node joined a cluster that was there already: its empty store says nothing about what an earlier life
    /// of the node promised, so its vote does not count until the others have listed it.
    public var isNewcomer: Bool?
    /// The history of the cluster that the node joined, in hexadecimal; nil for the one that the cluster began with.
    public var branch: String?
    /// The newest incarnation that an earlier life of this node is known to have had: a machine that joins again with an
    /// empty store starts above it, so that nobody takes it for an old copy of its former self; nil for a first life.
    public var formerIncarnation: Incarnation?

    /// States an identity.
    public init(cluster: ClusterID, clusterName: String, secret: Secret, node: NodeID, nodes: [Node]) {
        self.cluster = cluster
        self.clusterName = clusterName
        self.secret = secret
        self.node = node
        self.nodes = nodes
    }

    /// The nodes as far as this one knows.
    public var known: [Node] { members ?? nodes }

    /// This node as it is known; nil in an identity that nobody could have made.
    public var own: Node? { known.first { $0.id == node } }

    /// The same identity as another node of the cluster has it at its set-up.
    public func forNode(_ other: NodeID) -> Identity {
        var copy = self
        copy.node = other
        copy.formerIncarnation = nil
        copy.isNewcomer = nil
        return copy
    }

    /// The same identity for a node that joins while the cluster runs.
    ///
    /// - Parameters:
    ///   - other: The node.
    ///   - former: The newest incarnation of it that the cluster knows.
    ///   - members: The nodes as they are now.
    /// - Returns: Its identity.
    public func forNewcomer(_ other: NodeID, former: Incarnation?, members: [Node]) -> Identity {
        var copy = forNode(other)
        copy.formerIncarnation = former
        copy.members = members
        copy.isNewcomer = true
        return copy
    }

    /// The cluster's secret as 32 bytes.
    public func secretBytes() throws(IdentityError) -> [UInt8] {
        guard let bytes = Hex.decode(secret.exposed), bytes.count == 32 else { throw .damaged("the cluster secret") }
        return bytes
    }

    /// The configuration that every node starts from before the first log entry.
    public var initialConfiguration: ClusterConfiguration { ClusterConfiguration(name: clusterName, nodes: nodes) }

    /// Its file's content, secret included.
    public func encoded() throws -> [UInt8] { Array(try WireJSON.encode(self)) }

    /// Reads what `encoded` wrote and checks it.
    public init(parsing bytes: [UInt8], source: String) throws(IdentityError) {
        do {
            self = try WireJSON.decode(Identity.self, from: bytes)
        } catch {
            throw .damaged(source)
        }
        guard own != nil, !nodes.isEmpty, secret.exposed.utf8.count == 64 else { throw .damaged(source) }
    }

    /// Reads the file.
    public static func load(_ path: String) throws(IdentityError) -> Identity {
        guard FileManager.default.fileExists(atPath: path) else { throw .missing(path) }
        guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path) }
        return try Identity(parsing: Array(data), source: path)
    }

    /// Writes the file durably with mode 0600; refuses to replace one.
    public func store(_ path: String) throws {
        let directory = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try DurableFile.create(path, content: try encoded(), mode: 0o600)
    }
}

/// Why an identity could not be read.
public enum IdentityError: Error, CustomStringConvertible, Sendable {
    /// There is none: the node is in no cluster.
    case missing(String)
    /// It is there but cannot be read.
    case unreadable(String)
    /// It is not what an agent writes.
    case damaged(String)

    /// A sentence that names the file and the way out.
    public var description: String {
        switch self {
        case .missing(let path):
            "this node belongs to no cluster (\(path) does not exist); "
                + "set one up with: haven cluster setup, or join one with: haven cluster join"
        case .unreadable(let path): "\(path) cannot be read; the agent must run as root"
        case .damaged(let path):
            "\(path) is damaged; run haven cluster destroy on this node, then let it join again with a new token "
                + "(haven cluster token on another node)"
        }
    }
}
