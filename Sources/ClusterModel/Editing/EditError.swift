/// Why a change of the configuration was refused.
public enum EditError: Error, Hashable, Sendable {
    /// There is nothing of that name.
    case unknown(Noun, String, known: [String])
    /// The name is taken.
    case exists(Noun, String)
    /// A value cannot be read.
    case badValue(what: String, value: String, expected: String)
    /// There is a constraint between the two already, under this id.
    case constraintExists(id: String)
    /// The file is for another cluster.
    case otherCluster(file: String, cluster: String)
    /// The file names other machines than the cluster has.
    case otherNodes(missing: [NodeName], extra: [NodeName])
    /// The last node cannot be removed.
    case lastNode(NodeName)
    /// A secret of a new device was not given but shown as `****`.
    case maskedSecret(device: String, parameter: String)
    /// The change would make the configuration impossible; all reasons at once.
    case invalid([ConfigurationProblem])

    /// What an edit names.
    public enum Noun: String, Hashable, Sendable {
        /// A cluster-wide setting.
        case property
        /// A machine.
        case node
        /// Something that is started, stopped and monitored.
        case resource
        /// A location or colocation.
        case constraint
        /// Something that powers nodes off.
        case fenceDevice = "fence device"
        /// What clients connect to.
        case listener
        /// A server behind a listener.
        case server

        fileprivate var plural: String { self == .property ? "properties" : rawValue + "s" }
    }
}

extension EditError: CustomStringConvertible {
    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .unknown(let noun, let name, let known):
            "there is no \(noun.rawValue) \"\(name)\"; \(Known(known).remedy(for: name, plural: noun.plural))"
        case .exists(let noun, let name):
            "there is a \(noun.rawValue) \"\(name)\" already; choose another name, or delete that one first"
        case .badValue(let what, let value, let expected):
            "\(what) cannot be \"\(value)\"; give \(expected)"
        case .constraintExists(let id):
            "the constraint \"\(id)\" joins these two already; delete it first: haven constraint colocation delete \(id)"
        case .otherCluster(let file, let cluster):
            "the file is for cluster \"\(file)\", but this is cluster \"\(cluster)\"; "
                + "check the file, or change its name"
        case .otherNodes(let missing, let extra): Self.text(missing: missing, extra: extra)
        case .lastNode(let name):
            "\"\(name)\" is the last node; use haven cluster destroy to end the cluster"
        case .maskedSecret(let device, let parameter):
            "fence device \"\(device)\": \(parameter) is masked and no such secret is stored; give \(parameter)=@FILE"
        case .invalid(let problems): problems.map(\.description).joined(separator: "\n")
        }
    }

    private static func text(missing: [NodeName], extra: [NodeName]) -> String {
        var parts: [String] = []
        if !extra.isEmpty {
            parts.append("the cluster has no node \(extra.joined(separator: ", ")); join it with haven cluster join")
        }
        if !missing.isEmpty {
            let names = missing.joined(separator: ", ")
            parts.append("the file leaves out node \(names); name it, or leave out \"nodes\" to keep all")
        }
        return parts.joined(separator: "\n")
    }
}
