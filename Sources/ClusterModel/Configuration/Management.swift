/// What the cluster leaves to the operator.
extension ClusterConfiguration {
    /// Whether the cluster may act on a resource that is, or would be, on a node.
    ///
    /// - Parameters:
    ///   - resource: Its name; what is not configured any more is managed, since it is to be stopped.
    ///   - node: The node; nil for no node in particular.
    /// - Returns: False in maintenance of the cluster or the node, and for an unmanaged resource.
    public func isManaged(_ resource: ResourceName, on node: NodeID?) -> Bool {
        if let node, isInMaintenance(node) { return false }
        return !properties.maintenanceMode && place(of: resource).map { resources[$0].managed } ?? true
    }

    /// Whether nothing is done to a node and on it.
    public func isInMaintenance(_ node: NodeID) -> Bool {
        properties.maintenanceMode || place(of: node).map { nodes[$0].maintenance } ?? false
    }
}
