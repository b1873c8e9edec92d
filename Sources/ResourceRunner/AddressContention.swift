internal import ClusterModel
internal import LinuxIO
internal import Netlink
internal import Supervision

/// Announcements that are repeated while a node that may still answer for the same addresses is being powered off.
///
/// A machine whose agent hangs answers ARP as before, and whoever answers a question last has the client. An announcement
/// always wins (RFC 826 as Linux has it), so clients follow the other one for no longer than the time between two.
struct AddressContention {
    /// When the next announcement is due.
    var timer: EventLoop.Token?
    let began: Instant
    /// Who was told of already, so that the log is not filled.
    var told: Set<Rival> = []

    struct Rival: Hashable {
        let address: IPAddress
        let hardwareAddress: [UInt8]
    }

    /// The time between announcements at first: what a client may lose when the other one gets an answer in.
    static let firstInterval = Duration.milliseconds(100)
    /// For how long that lasts; most fences have ended by then.
    static let firstPart = Duration.seconds(20)
    /// The time between announcements after that: a fence that fails for hours must not flood a network for hours.
    static let laterInterval = Duration.seconds(1)

    func interval(now: Instant) -> Duration {
        now - began < Self.firstPart ? Self.firstInterval : Self.laterInterval
    }
}

extension AddressOperations {
    /// Begins or ends to repeat announcements of everything that is held.
    func keepAnnouncing(_ keeps: Bool) {
        guard keeps != (contention != nil) else { return }
        if keeps {
            contention = AddressContention(began: Clock.monotonic())
            contend()
        } else {
            loop.remove(contention?.timer)
            contention = nil
            network.endQuestions()
            // Whoever believed the other one last hears the truth now that it is gone.
            announceAgain()
        }
    }

    private func contend() {
        guard let contention else { return }
        tellOfRivals()
        for (name, entry) in held {
            announceIfHere(name)
            // What cannot be asked now is asked the next time; the announcement is what matters.
            try? network.askForRivals(of: entry.address.address, on: entry.link)
        }
        let now = Clock.monotonic()
        self.contention?.timer = loop.schedule(at: now + contention.interval(now: now)) { [weak self] in
            self?.contend()
        }
    }

    private func tellOfRivals() {
        let answers = network.rivals()
        guard !answers.isEmpty, let links = try? network.list().links else { return }
        // A machine with two cables to one network may answer by the other one.
        let own = Set(links.map(\.hardwareAddress))
        for (address, rivals) in answers {
            guard let name = held.first(where: { $0.value.address.address == address })?.key else { continue }
            for rival in rivals.subtracting(own)
            where contention?.told.contains(.init(address: address, hardwareAddress: rival)) == false {
                contention?.told.insert(.init(address: address, hardwareAddress: rival))
                sink(.rival(name, address, hardwareAddress: Self.text(rival)))
            }
        }
    }

    private static func text(_ hardwareAddress: [UInt8]) -> String {
        hardwareAddress.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
