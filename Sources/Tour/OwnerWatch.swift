internal import ClusterModel
internal import Foundation
internal import Lab
internal import LinuxIO
internal import Processes
internal import Synchronization

/// Looks into every host, many times a second, whether it has an address, and adds up the time in which two had it.
final class OwnerWatch: Sendable {
    /// A host that had the address together with another one.
    struct Overlap: Hashable, Sendable {
        var from: Int64
        var to: Int64
        var hosts: [String]
    }

    private struct State {
        var owners: [String] = []
        var doubles: [Overlap] = []
        var isEnded = false
    }

    /// The time between two looks.
    static let interval = Duration.milliseconds(5)
    /// The kernel's list of local addresses of a host of three interfaces is far shorter.
    private static let longestList = 64 * 1024

    private let hosts: [LabHost]
    private let address: String
    private let state = Mutex(State())

    init(_ lab: Lab, address: String) {
        hosts = lab.hosts
        self.address = address
    }

    func begin() { Thread { [self] in run() }.start() }

    func end() { state.withLock { $0.isEnded = true } }

    /// Who has it now, as of the last look.
    var owners: [String] { state.withLock { $0.owners } }

    /// All times in which two hosts had it.
    var overlaps: [Overlap] { state.withLock { $0.doubles } }

    /// The time within a window in which two hosts had it, in milliseconds.
    func doubleMilliseconds(from begin: Int64, to end: Int64) -> Double {
        state.withLock { $0.doubles }.reduce(0) { sum, double in
            sum + Double(max(0, min(double.to, end) - max(double.from, begin))) / 1e6
        }
    }

    private func run() {
        // Found anew only when a host's process has gone: looking it up costs more than looking into it.
        var processes: [String: Int32] = [:]
        var previous = Clock.monotonic()
        while !state.withLock({ $0.isEnded }) {
            var owners = hosts.filter { has($0, &processes) }
            // An address that moved between two looks was not on both: the first host must still have it.
            if owners.count > 1 { owners = owners.filter { has($0, &processes) } }
            let now = Clock.monotonic()
            note(owners.map(\.name), previous.nanoseconds, now.nanoseconds)
            previous = now
            Pause.until(now + Self.interval)
        }
    }

    private func note(_ owners: [String], _ previous: Int64, _ now: Int64) {
        state.withLock { state in
            state.owners = owners
            guard owners.count > 1 else { return }
            if let last = state.doubles.indices.last, state.doubles[last].to == previous,
                state.doubles[last].hosts == owners
            {
                state.doubles[last].to = now
            } else {
                state.doubles.append(Overlap(from: previous, to: now, hosts: owners))
            }
        }
    }

    private func has(_ host: LabHost, _ processes: inout [String: Int32]) -> Bool {
        if let pid = processes[host.name], let list = list(pid) { return isLocal(list) }
        processes[host.name] = host.firstProcess?.pid
        guard let pid = processes[host.name], let list = list(pid) else { return false }
        return isLocal(list)
    }

    /// The routing table of a host as the kernel shows it from outside; nil when the host is off.
    private func list(_ pid: Int32) -> String? {
        guard let file = try? Descriptor.open("/proc/\(pid)/net/fib_trie", O_RDONLY) else { return nil }
        var bytes: [UInt8] = []
        while bytes.count < Self.longestList, let more = try? file.read(upTo: 16_384), !more.isEmpty { bytes += more }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// `|-- ADDRESS`, and in the next line that it is an address of the host itself.
    private func isLocal(_ list: String) -> Bool {
        guard let leaf = list.firstRange(of: "|-- \(address)\n") else { return false }
        return list[leaf.upperBound...].prefix { !$0.isNewline }.hasSuffix("host LOCAL")
    }
}
