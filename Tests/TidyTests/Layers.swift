/// The layers of the architecture from the bottom up, and what stands in each.
///
/// A target depends on lower layers only. Pure targets do not even depend on platform targets, which know system calls.
enum Layer: Int {
    case system, bytes, nouns, platform, pure, shell, wiring, program, development

    static let contents: [(Layer, [String])] = [
        (.system, ["CLinux", "COpenSSL", "CTLS"]),
        (.bytes, ["Bytes"]),
        (.nouns, ["ClusterModel"]),
        (.platform, ["LinuxIO", "Netlink", "Processes", "Store", "Cryptography", "Supervision"]),
        (
            .pure,
            [
                "Consensus", "Placement", "Recovery", "NodeCore", "Balancing", "HTTP1", "RMCPPlus", "HAProxyConfig",
                "ClusterConfig", "AgentAPI", "TransportCore", "Arbiter",
            ]
        ),
        (
            .shell,
            [
                "ResourceRunner", "FenceRunner", "Guard", "Proxy", "ProxyControl", "AdminAPI", "ClusterSetup", "Lab",
                "SealedTransport",
            ]
        ),
        (.wiring, ["ClusterAgent", "HavenCommands", "Tour"]),
        (.program, ["haven", "havend", "haven-guard", "haven-proxy"]),
        (.development, ["Simulation", "simulate", "bench", "TestSupport"]),
    ]

    static let all: [String: Layer] = {
        var result: [String: Layer] = [:]
        for (layer, names) in contents { for name in names { result[name] = layer } }
        return result
    }()

    /// Dependencies within a layer, each with its reason.
    static let withinLayer: [String: [String: String]] = [
        "Netlink": ["LinuxIO": "descriptors and errors"],
        "Processes": ["LinuxIO": "descriptors and errors"],
        "Store": ["LinuxIO": "files that are written whole or not at all"],
        "Supervision": ["LinuxIO": "descriptors and errors", "Processes": "what it supervises"],
        "Recovery": ["Placement": "asks for the wanted state"],
        "NodeCore": [
            "Consensus": "wires the cores of one node", "Placement": "wires the cores of one node",
            "Recovery": "wires the cores of one node",
        ],
        "ClusterSetup": ["SealedTransport": "the same keys and datagrams as the agents'"],
        "Proxy": ["ProxyControl": "the protocol between agent and data plane"],
        "HavenCommands": ["Tour": "its command"],
        "simulate": ["Simulation": "its program"],
    ]

    /// Modules of the toolchain and of packages that a target may import beside its dependencies.
    static let free: Set<String> = ["Swift", "Synchronization"]

    /// Outside of pure targets also the system.
    static let freeOutsidePure: Set<String> = ["Foundation", "FoundationEssentials", "Glibc", "Dispatch"]

    /// Packages that pure targets may use: they compute, and do nothing.
    static let packagesOfPure: [String: Set<String>] = [
        "ClusterConfig": ["Yams"],
        "Balancing": ["BasicContainers", "Collections", "DequeModule"],
        "Consensus": ["Collections", "DequeModule"],
    ]
}
