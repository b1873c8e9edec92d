internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Netlink

/// This node's interfaces and addresses, through sockets that are opened when first needed and then kept.
final class AddressNetwork {
    private var route: RouteSocket?
    private var announcer: Announcer?
    private var questions: [Link: Question] = [:]

    /// A class, because a dictionary cannot hold the socket itself.
    private final class Question {
        let rivals: RivalQuestion

        init(rivals: consuming RivalQuestion) { self.rivals = rivals }
    }

    /// All interfaces and addresses now.
    func list() throws(SystemError) -> (links: [Link], addresses: [InterfaceAddress]) {
        if route == nil { route = try RouteSocket() }
        let links = try route?.links() ?? []
        return (links, try route?.addresses() ?? [])
    }

    /// Adds an address; one that is there already is a success.
    func add(_ address: InterfaceAddress) throws(SystemError) {
        if route == nil { route = try RouteSocket() }
        try route?.add(address)
    }

    /// Removes an address; one that is not there is a success.
    func remove(_ address: InterfaceAddress) throws(SystemError) {
        if route == nil { route = try RouteSocket() }
        try route?.remove(address)
    }

    /// Tells the neighbours once.
    func announce(_ address: IPAddress, on link: Link) throws(SystemError) {
        if announcer == nil { announcer = try Announcer() }
        try announcer?.announce(address, on: link)
    }

    /// Asks a link who else has an address.
    func askForRivals(of address: IPAddress, on link: Link) throws(SystemError) {
        if questions[link] == nil { questions[link] = Question(rivals: try RivalQuestion(on: link)) }
        questions[link]?.rivals.ask(address)
    }

    /// Who else has answered since the last call.
    func rivals() -> [IPAddress: Set<[UInt8]>] {
        questions.values.reduce(into: [:]) { all, question in
            all.merge(question.rivals.answers()) { $0.union($1) }
        }
    }

    /// Asks nobody any more.
    func endQuestions() { questions = [:] }

    /// Lets an IPv4 address stay when another one of its subnet, added before it, is removed.
    ///
    /// Without this the kernel removes both. Where the setting cannot be made it stays the operator's.
    func keepSecondaries(on link: Link) {
        let path = "/proc/sys/net/ipv4/conf/\(link.name)/promote_secondaries"
        guard let file = try? Descriptor.open(path, O_WRONLY) else { return }
        _ = try? file.write(Array("1".utf8))
    }
}
