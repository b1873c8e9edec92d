import ClusterModel

/// Values by node, in ascending order of nodes.
///
/// A cluster has few nodes: to look at each is quicker than to hash one, a value can be looked at where it stands, and
/// every walk has the same order.
struct NodeMap<Value: Sendable>: Sendable {
    private(set) var keys: [NodeID] = []
    private(set) var values: [Value] = []

    /// The places of all nodes.
    var indices: Range<Int> { keys.indices }

    /// Where a node is.
    func index(of node: NodeID) -> Int? { keys.firstIndex(of: node) }

    /// The value of a node; nil where there is none.
    subscript(node: NodeID) -> Value? {
        get { index(of: node).map { values[$0] } }
        set {
            if let index = index(of: node) {
                if let newValue {
                    values[index] = newValue
                } else {
                    keys.remove(at: index)
                    values.remove(at: index)
                }
            } else if let newValue {
                let index = keys.firstIndex { $0 > node } ?? keys.count
                keys.insert(node, at: index)
                values.insert(newValue, at: index)
            }
        }
    }

    /// The value of a node, or another where there is none.
    subscript(node: NodeID, default value: @autoclosure () -> Value) -> Value {
        get { self[node] ?? value() }
        set { self[node] = newValue }
    }
}
