public import ClusterModel

extension ClusterState {
    /// Whether another node may still answer for addresses that were given away from it: it is to be powered off, that
    /// is not verified yet, and its agent says nothing (RULE F10).
    ///
    /// - Parameters:
    ///   - own: The node that asks.
    ///   - isAnswering: Whether a node is heard and holds a lease, so that it knows what is not its own any more.
    /// - Returns: Whether there is such a node.
    public func hasContender(of own: NodeID, isAnswering: (NodeID) -> Bool) -> Bool {
        fences.contains { node, fence in
            node != own && !isAnswering(node) && fence.outcome != .verified && configuration.node(node) != nil
                && !isProvenDead(node, fence.incarnation) && fence.incarnation >= (incarnations[node] ?? 0)
        }
    }
}
