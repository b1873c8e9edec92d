public import ClusterModel
public import LinuxIO
internal import Netlink
import Synchronization

/// Takes virtual IPs from this node's interfaces at once, from the thread that calls it, while the runner's own thread
/// may be busy: for the end of a lease.
///
/// It has a netlink socket of its own. A start that the runner has under way at that moment is undone by the runner.
public struct AddressDropper: ~Copyable {
    private var route: RouteSocket
    private let gate: AddressGate

    /// Opens the socket; make one before it is needed.
    public init(for runner: ResourceRunner) throws(SystemError) {
        route = try RouteSocket()
        gate = runner.gate
    }

    /// Removes these addresses from every interface.
    ///
    /// - Parameter addresses: All virtual IPs of the cluster; those that are not here are skipped.
    /// - Returns: What could not be removed, and why; empty when none of the addresses is here any more.
    public mutating func drop(_ addresses: Set<IPAddress>) -> [SystemError] {
        gate.close()
        var failures: [SystemError] = []
        do throws(SystemError) {
            for held in try route.addresses() where addresses.contains(held.address) {
                do throws(SystemError) { try route.remove(held) } catch { failures.append(error) }
            }
        } catch { failures.append(error) }
        return failures
    }
}

/// Tells the runner's thread that addresses were dropped while it was starting one.
///
/// A start remembers the count of drops at the time when it was ordered. It looks again after it has added the address:
/// either it sees the new count and removes the address itself, or the drop came later and sees the address.
final class AddressGate: Sendable {
    private let drops = Atomic<UInt64>(0)

    /// How many drops there were.
    var count: UInt64 { drops.load(ordering: .sequentiallyConsistent) }

    /// Voids all starts that were ordered until now.
    func close() { drops.wrappingAdd(1, ordering: .sequentiallyConsistent) }
}
