public import ClusterModel

/// A node to be powered off.
public struct FenceOrder: Sendable {
    /// Named by the caller; events carry it.
    public var id: UInt64
    /// The node.
    public var node: NodeName
    /// Its fence devices, in the order in which they are tried.
    public var devices: [FenceDevice]
    /// How long all attempts may take together.
    public var timeout: Duration
    /// Whether it is powered on again after it was verified off.
    public var powersOn: Bool

    /// States an order.
    public init(id: UInt64, node: NodeName, devices: [FenceDevice], timeout: Duration, powersOn: Bool) {
        self.id = id
        self.node = node
        self.devices = devices
        self.timeout = timeout
        self.powersOn = powersOn
    }
}

/// What became of an order; for each order exactly one `ended`, and after a verified one that powers on, one `poweredOn`.
public enum FenceEvent: Hashable, Sendable {
    /// The order's attempts are over.
    case ended(order: UInt64, FenceResult)
    /// The node was powered on again; or could not be, for this reason, which is for the operator only.
    case poweredOn(order: UInt64, failure: String?)
}

/// How a fence ended.
public enum FenceResult: Hashable, Sendable {
    /// The node is off: "off" was accepted, and two readings after it, at least a second apart, said off.
    case verified(device: String, took: Duration)
    /// Whether the node is off is not known; the reasons of all devices, without secrets.
    case failed(String)
}

/// What a device said of a node's power.
public enum PowerReading: Hashable, Sendable {
    /// On.
    case on
    /// Off.
    case off
    /// Not known, for this reason.
    case unknown(String)
}

/// Why a fence agent or device is not usable; for the operator, without secrets.
public struct FenceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let reason: String

    /// States a reason.
    public init(_ reason: String) { self.reason = reason }

    /// The text form.
    public var description: String { reason }
}
