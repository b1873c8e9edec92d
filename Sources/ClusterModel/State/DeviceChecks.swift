/// What a node found when it last asked the fence devices that could power off others.
public struct DeviceChecks: Hashable, Codable, Sendable {
    /// The other nodes each of which some device could power off, by a check that is not too old to count.
    public var fenceable: [NodeID]
    /// The newest check of each device that was checked, in the order of their names.
    public var checks: [DeviceCheck]

    /// States both.
    public init(fenceable: [NodeID] = [], checks: [DeviceCheck] = []) {
        self.fenceable = fenceable
        self.checks = checks
    }
}

/// One real check of a fence device: the device was reached and logged in to, or not.
public struct DeviceCheck: Hashable, Codable, Sendable {
    /// The device's name.
    public var device: String
    /// When the check ended, in milliseconds since 1970 by the wall clock of the node that made it; for display only.
    public var checkedAt: Int64
    /// Why it failed, without secrets; nil when it passed.
    public var failure: String?

    /// States a result.
    public init(device: String, checkedAt: Int64, failure: String? = nil) {
        self.device = device
        self.checkedAt = checkedAt
        self.failure = failure
    }
}
