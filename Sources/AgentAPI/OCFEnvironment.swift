public import ClusterModel

/// The environment in which an OCF agent runs: what Pacemaker sets and agents rely on (OCF API 1.1, section 3.2, and
/// Pacemaker's lib/services).
public struct OCFEnvironment: Sendable {
    /// Where agents live.
    public var root: String
    /// Where agents keep what must not survive a reboot; the runner makes it.
    public var temporaryDirectory: String
    /// This node's name.
    public var node: NodeName
    /// This node's number, as Pacemaker's `on_node_uuid`.
    public var nodeNumber: NodeID
    /// A syslog facility, or nil: then agents write to standard error, where the runner reads it.
    public var logFacility: String?

    /// The standard places.
    public init(node: NodeName, nodeNumber: NodeID, logFacility: String? = nil) {
        root = "/usr/lib/ocf"
        temporaryDirectory = "/run/resource-agents"
        self.node = node
        self.nodeNumber = nodeNumber
        self.logFacility = logFacility
    }

    /// The version of Pacemaker's interface that agents see; from 3.10.0 on they use `crm_attribute -p`.
    static let featureSet = "3.16.2"

    /// The path of an agent's program.
    public func program(provider: String, type: String) -> String { "\(root)/resource.d/\(provider)/\(type)" }

    /// What one call sees, and nothing else: the agent's own environment is not inherited.
    public func variables(
        resource: ResourceName,
        specification: OCFSpecification,
        action: OCFAction,
        timeout: Milliseconds,
        interval: Milliseconds
    ) -> [String: String] {
        var variables = base()
        variables["OCF_RESOURCE_INSTANCE"] = resource
        variables["OCF_RESOURCE_TYPE"] = specification.type
        variables["OCF_RESOURCE_PROVIDER"] = specification.provider
        for (name, value) in specification.parameters { variables["OCF_RESKEY_\(name)"] = value }
        // After the parameters, so that none of them can pretend to be one of these.
        variables["OCF_RESKEY_CRM_meta_timeout"] = String(timeout.count)
        variables["OCF_RESKEY_CRM_meta_interval"] = String(interval.count)
        variables["OCF_RESKEY_CRM_meta_name"] = action.rawValue
        variables["OCF_RESKEY_CRM_meta_on_node"] = node
        variables["OCF_RESKEY_CRM_meta_on_node_uuid"] = String(nodeNumber.rawValue)
        variables["OCF_RESKEY_crm_feature_set"] = Self.featureSet
        return variables
    }

    /// What a call for metadata sees.
    public func variables(describing specification: OCFSpecification) -> [String: String] {
        var variables = base()
        variables["OCF_RESOURCE_INSTANCE"] = specification.type
        variables["OCF_RESOURCE_TYPE"] = specification.type
        variables["OCF_RESOURCE_PROVIDER"] = specification.provider
        return variables
    }

    private func base() -> [String: String] {
        [
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "OCF_ROOT": root,
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
            "OCF_EXIT_REASON_PREFIX": OCFExitReason.prefix,
            "OCF_CHECK_LEVEL": "0",
            "HA_RSCTMP": temporaryDirectory,
            // Agents write with logger(1) where there is a facility, and to standard error where it is "none".
            "HA_LOGFACILITY": logFacility ?? "none",
            "HA_debug": "0",
            "PCMK_logfacility": logFacility ?? "none",
            "PCMK_service": "pacemaker-execd",
        ]
    }
}
