import Balancing
import ClusterModel
import LinuxIO
import ProxyControl

/// A listener of the current plan with its number.
struct LiveListener {
    let id: Int32
    var planned: PlannedListener
    var servers: [LiveServer]
    /// Since when the number is its own.
    var created: Instant
    /// How its clients' connections are encrypted; nil where they are not, or while its certificates cannot be used.
    var tls: TLSContext?
    /// What is wrong with its certificates.
    var tlsFault: String?
}

/// A server of the current plan with its number, health and last check.
struct LiveServer {
    let id: Int32
    var configuration: Server
    var node: NodeCondition
    var health: HealthMachine
    var lastCheck: CheckReport?
    /// When its status last changed, in milliseconds since 1970.
    var since: Int64
    /// Since when the number is its own.
    var created: Instant
    /// When it came up again, while its share still grows; nil for one that has its whole share.
    var risen: Instant?
    /// How much of its weight it has.
    var sixteenths = SlowStart.whole
    /// How connections to it are encrypted; nil where they are not, or while its files cannot be used.
    var tls: TLSContext?
    /// What is wrong with its files.
    var tlsFault: String?

    var condition: ServerCondition {
        ServerCondition(
            admin: configuration.state,
            isHealthy: configuration.check == nil || health.isUp,
            node: node,
            weight: configuration.weight
        )
    }
}

/// Numbers for listeners or servers: stable as long as the thing is in the plan, and not given to another one before
/// its last connection ended.
struct NumberBook<Key: Hashable> {
    private let limit: Int32
    private var numbers: [Key: Int32] = [:]
    private var free: [Int32] = []
    private var next: Int32 = 0
    /// Numbers without a key whose connections may live on.
    private(set) var retired: Set<Int32> = []

    init(limit: Int) { self.limit = Int32(limit) }

    /// One more than the highest number ever given.
    var span: Int { Int(next) }

    /// The key's number, a new one if it has none; nil when all are in use.
    mutating func number(for key: Key) -> Int32? {
        if let number = numbers[key] { return number }
        guard let number = free.popLast() ?? (next < limit ? next : nil) else { return nil }
        if number == next { next += 1 }
        numbers[key] = number
        return number
    }

    /// Takes the numbers from all keys but these.
    mutating func keepOnly(_ keys: Set<Key>) {
        for (key, number) in numbers where !keys.contains(key) {
            numbers[key] = nil
            retired.insert(number)
        }
    }

    /// Lets a retired number be used again.
    mutating func release(_ number: Int32) {
        if retired.remove(number) != nil { free.append(number) }
    }
}
