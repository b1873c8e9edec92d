/// What a head says about a change of protocol on its connection (RFC 9110 §7.8).
struct UpgradeFields {
    /// The value of the only Upgrade field; nil for none or several.
    private(set) var value: Range<Int>?
    private var count = 0

    mutating func add(_ value: Range<Int>) {
        count += 1
        self.value = count == 1 ? value : nil
    }

    /// The protocol asked for, if it is one that may be passed on: a single name with an optional version.
    ///
    /// HTTP/2 is not: a tunnel of further requests would pass by every rule that is applied to requests here.
    func target(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard let value, !value.isEmpty, value.count <= HeadLimits.upgradeBytes else { return nil }
        let isName = value.allSatisfy { Characters.isToken(bytes[$0]) || bytes[$0] == UInt8(ascii: "/") }
        guard isName, !Characters.equals(bytes, value, "h2c"), !Characters.equals(bytes, value, "http/2.0") else {
            return nil
        }
        return value
    }
}
