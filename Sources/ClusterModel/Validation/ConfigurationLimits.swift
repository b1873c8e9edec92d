/// How much a configuration may hold.
///
/// Everything that walks a configuration is bounded by these.
public enum ConfigurationLimits {
    /// Nodes in a cluster.
    public static let nodes = 32
    /// Addresses (links) of a node.
    public static let addressesPerNode = 8
    /// Resources in a cluster.
    public static let resources = 1000
    /// Location and colocation constraints together.
    public static let constraints = 10_000
    /// Fence devices in a cluster.
    public static let fenceDevices = 100
    /// Listeners in a cluster.
    public static let listeners = 256
    /// Addresses on which one listener listens.
    public static let bindsPerListener = 16
    /// Servers of all listeners together.
    public static let servers = 4096
    /// Servers of one listener.
    public static let serversPerListener = 256
    /// Files and directories with certificates of one listener.
    public static let certificatesPerListener = 16
    /// Ranges of status codes that one check accepts.
    public static let statusRanges = 16
    /// Parameters of one agent, or variables of one process.
    public static let parameters = 128
    /// Words of one process's command.
    public static let commandWords = 256
    /// Bytes of one free text: a parameter's value, a word of a command, a path.
    public static let textLength = 4096
    /// Bytes of a constraint's id: two names, a score and what joins them.
    public static let constraintIDLength = 160

    /// Addresses of the property `arbiter`; each is asked by both nodes again and again.
    public static let arbiterAddresses = 4

    /// Time-outs of operations on resources.
    public static let operationTimeout: ClosedRange<Milliseconds> = 100...86_400_000
    /// Time between monitors, where there are any.
    public static let monitorInterval: ClosedRange<Milliseconds> = 100...86_400_000
    /// `stonith-timeout`.
    public static let stonithTimeout: ClosedRange<Milliseconds> = 5000...600_000
    /// `stonith-check-interval`.
    ///
    /// Not 0: without checks an odd number of voters never becomes smaller, and a device that is broken is found out when
    /// it is needed.
    public static let stonithCheckInterval: ClosedRange<Milliseconds> = 5000...3_600_000
    /// `stonith-watchdog-timeout`.
    public static let watchdogTimeout: ClosedRange<Milliseconds> = 2000...300_000
    /// Time-outs of a listener.
    public static let listenerTimeout: ClosedRange<Milliseconds> = 1...Milliseconds.longest
    /// Time between health checks.
    public static let checkInterval: ClosedRange<Milliseconds> = 10...86_400_000
    /// Checks in a row that change a server's state.
    public static let checkCount: ClosedRange<Int> = 1...1000
    /// Connection attempts after the first failed one.
    public static let retries: ClosedRange<Int> = 0...100
    /// Connections of a listener at once.
    public static let maxConnections: ClosedRange<Int> = 1...1_000_000
    /// Which retry goes to another server; 0 is none, which `redispatch` says.
    public static let redispatchInterval: ClosedRange<Int> = -100...100
    /// Domains of a cookie, and further attributes of one.
    public static let cookieAttributes = 8
    /// Bytes of one of them.
    public static let cookieAttributeLength = 128
    /// `maxidle` and `maxlife` of a cookie.
    public static let cookieAge: ClosedRange<Milliseconds> = 1000...Milliseconds.longest
    /// `slowstart` of a server.
    public static let slowStart: ClosedRange<Milliseconds> = 1...86_400_000
    /// A server's share.
    public static let weight: ClosedRange<Int> = 0...256
    /// HTTP status codes.
    public static let statusCode: ClosedRange<Int> = 100...599
}
