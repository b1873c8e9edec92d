internal import ClusterModel
internal import LinuxIO
internal import Netlink
internal import Recovery
internal import Supervision

/// Resources of class `ip`: an address on an interface, and neighbours that know of it.
final class AddressOperations {
    let loop: EventLoop
    let network: AddressNetwork
    private let gate: AddressGate
    /// Nil where the kernel cannot hold leases.
    private let keeper: AddressKeeper?
    let sink: @Sendable (RunnerEvent) -> Void
    private(set) var held: [ResourceName: Held] = [:]
    /// Announcements that are repeated because somebody else may answer too; nil while nobody is expected to.
    var contention: AddressContention?

    /// An address that was started here.
    struct Held {
        let address: InterfaceAddress
        let link: Link
        var announcements: [EventLoop.Token]
    }

    /// When the neighbours are told after a start: at once, and again because a switch or host may lose the first ones.
    static let announcements: [Duration] = [0, 50, 200, 500, 1000].map { .milliseconds($0) }

    init(
        loop: EventLoop,
        network: AddressNetwork,
        gate: AddressGate,
        keeper: AddressKeeper?,
        sink: @escaping @Sendable (RunnerEvent) -> Void = { _ in }
    ) {
        self.loop = loop
        self.network = network
        self.gate = gate
        self.keeper = keeper
        self.sink = sink
    }

    /// Runs an operation; none takes longer than a few exchanges with the kernel.
    ///
    /// - Parameters:
    ///   - operation: What to do.
    ///   - address: The resource's address.
    ///   - drops: The gate's count when the operation was ordered.
    /// - Returns: How it ended.
    func run(_ operation: Operation, _ address: VirtualIP, drops: UInt64) -> OperationOutcome {
        let name = operation.resource.name
        do throws(SystemError) {
            switch operation.kind {
            case .probe: return try isPresent(address) ? .succeeded : .notRunning
            case .monitor: return try monitor(address)
            case .start: return try start(name, address, drops: drops)
            case .stop, .kill:
                forget(name)
                keeper?.silence(address.address)
                try remove(address.address)
                keeper?.forget(address.address)
                return .succeeded
            }
        } catch { return .failed(error.description) }
    }

    /// Tells the neighbours again of everything that is held.
    func announceAgain() {
        for name in held.keys { announce(name, after: Self.announcements) }
    }

    private func isPresent(_ address: VirtualIP) throws(SystemError) -> Bool {
        try network.list().addresses.contains { $0.address == address.address }
    }

    private func monitor(_ address: VirtualIP) throws(SystemError) -> OperationOutcome {
        let (links, addresses) = try network.list()
        guard let present = addresses.first(where: { $0.address == address.address }) else { return .notRunning }
        guard let link = links.first(where: { $0.index == present.link }) else { return .notRunning }
        if let trouble = keeper?.trouble { return .failed("the kernel does not renew its lease: \(trouble)") }
        return Self.trouble(with: link).map { .failed($0) } ?? .succeeded
    }

    private static func trouble(with link: Link) -> String? {
        if !link.isUp { return "the interface \(link.name) is down" }
        return link.hasCarrier ? nil : "the interface \(link.name) has no carrier"
    }

    private func start(
        _ name: ResourceName,
        _ address: VirtualIP,
        drops: UInt64
    ) throws(SystemError) -> OperationOutcome {
        let (links, addresses) = try network.list()
        let place: (link: Link, address: InterfaceAddress)
        do throws(InterfaceChoice.Failure) {
            place = try InterfaceChoice.find(
                address.address,
                prefix: address.prefixLength,
                named: address.interface,
                links: links,
                addresses: addresses
            )
        } catch { return .failed(error.description) }
        if let trouble = Self.trouble(with: place.link) { return .failed(trouble) }
        // Left on another interface or with another length by an earlier configuration.
        for stale in addresses where stale.address == address.address && stale != place.address {
            try network.remove(stale)
        }
        if address.address.family == .v4 { network.keepSecondaries(on: place.link) }
        guard gate.count == drops else { return .cancelled }
        // First the permission: an address that is here before it would be told of, and then not answer.
        try keeper?.admit(address.address)
        do throws(SystemError) {
            try network.add(place.address)
            guard gate.count == drops else {
                try takeBack(place.address)
                return .cancelled
            }
            return try tellNeighbours(name, place)
        } catch {
            keeper?.silence(address.address)
            throw error
        }
    }

    private func takeBack(_ address: InterfaceAddress) throws(SystemError) {
        keeper?.silence(address.address)
        try network.remove(address)
        keeper?.forget(address.address)
    }

    /// An address that nobody is told of does not serve: the start failed.
    private func tellNeighbours(
        _ name: ResourceName,
        _ place: (link: Link, address: InterfaceAddress)
    ) throws(SystemError) -> OperationOutcome {
        do throws(SystemError) {
            try network.announce(place.address.address, on: place.link)
        } catch {
            try takeBack(place.address)
            throw error
        }
        forget(name)
        held[name] = Held(address: place.address, link: place.link, announcements: [])
        announce(name, after: Array(Self.announcements.dropFirst()))
        return .succeeded
    }

    private func announce(_ name: ResourceName, after delays: [Duration]) {
        for token in held[name]?.announcements ?? [] { loop.remove(token) }
        let now = Clock.monotonic()
        held[name]?.announcements = delays.map { delay in
            loop.schedule(at: now + delay) { [weak self] in self?.announceIfHere(name) }
        }
    }

    /// The address may have been dropped meanwhile, and another node may own it: then silence.
    func announceIfHere(_ name: ResourceName) {
        guard let entry = held[name] else { return }
        // A process that was stopped for a while goes on here without knowing that its time is over.
        guard keeper?.holds(entry.address.address) ?? true else { return }
        guard let (_, addresses) = try? network.list(), addresses.contains(entry.address) else { return forget(name) }
        // One of several repetitions: what fails now is made good by the next or by the monitor.
        try? network.announce(entry.address.address, on: entry.link)
    }

    private func forget(_ name: ResourceName) {
        guard let entry = held.removeValue(forKey: name) else { return }
        for token in entry.announcements { loop.remove(token) }
    }

    private func remove(_ address: IPAddress) throws(SystemError) {
        for present in try network.list().addresses where present.address == address { try network.remove(present) }
    }
}
