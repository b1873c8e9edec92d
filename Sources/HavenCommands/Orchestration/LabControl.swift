/// The lab: hosts as network namespaces with power switches.
enum LabControl {
    /// Whether it is there; what is not is left out of the help.
    static let isAvailable = false

    /// What can be done to a host's power.
    enum PowerState: String, Hashable, Sendable, CaseIterable {
        case on
        case off
        case cycle
    }

    /// What can be done to a host's links.
    enum LinkState: String, Hashable, Sendable, CaseIterable {
        case up
        case down
    }

    /// What was asked for.
    enum Action: Hashable, Sendable {
        case up(hosts: [String])
        case down
        case status
        case exec(host: String, command: [String])
        case power(PowerState, host: String)
        case link(LinkState, host: String)
        case partition([[String]])
        case heal
    }

    /// Does it.
    static func run(_ action: Action, _ session: Session) throws(CommandFailure) {
        throw CommandFailure(.failed, "haven lab is not in this version yet")
    }
}
