// swift-tools-version: 6.3
import PackageDescription

// Settings every Swift target shares. `package` access blocks cross-module inlining on this
// toolchain, so hot interfaces are `public` and `@inlinable`; nothing here is a library product.
let shared: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]

/// A target that decides or parses: no clock, no system call, no Foundation (TidyTests checks it).
func pure(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        swiftSettings: shared + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]
    )
}

/// A target that acts: system calls, processes, sockets, files.
func shell(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: shared)
}

/// `exclude` names folders of data that the tests read where they stand.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: shared)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "haven",
    dependencies: [
        // The command line of every program: help, errors and exit codes as users know them.
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        // The agent's log lines.
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        // Cluster YAML, with the line and column of every value.
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        // Asynchronous sockets under the operators' interface.
        .package(url: "https://github.com/swhitty/FlyingFox.git", from: "0.27.1"),
        // SQLite for what must survive a power loss.
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    ],
    targets: [
        // C shims: system calls that Swift cannot reach or that must inline.
        .target(name: "CLinux"),
        // libssl under the proxy's connections: forms that Swift cannot reach, and the callbacks of handshakes.
        .target(name: "CTLS"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // Nouns and bytes.
        pure("Bytes"),
        pure("ClusterModel"),

        // Platform: know system calls, know no cluster.
        shell("LinuxIO", ["CLinux", "ClusterModel"]),
        shell("Cryptography", ["COpenSSL"]),
        // LinuxIO for files that are written whole or not at all.
        shell("Store", ["Bytes", "CLinux", "LinuxIO", .product(name: "GRDB", package: "GRDB.swift")]),
        // LinuxIO for descriptors and errors.
        shell("Netlink", ["CLinux", "LinuxIO", "ClusterModel"]),
        shell("Processes", ["CLinux", "LinuxIO", "ClusterModel"]),
        shell("Supervision", ["CLinux", "ClusterModel", "LinuxIO", "Processes"]),

        // Pure: decide and parse. Recovery asks Placement for the wanted state.
        pure("Consensus", ["Bytes", "ClusterModel"]),
        pure("Placement", ["ClusterModel"]),
        pure("Recovery", ["ClusterModel", "Placement"]),
        // One node's cores, wired: the value that production and simulation both run.
        pure("NodeCore", ["ClusterModel", "Consensus", "Placement", "Recovery"]),
        // Traffic between agents: the core decides, SealedTransport seals.
        pure("TransportCore", ["Bytes", "ClusterModel"]),
        pure("AgentAPI", ["ClusterModel"]),
        // What may veto that one of two nodes goes on alone: when it is asked, and what an answer is.
        pure("Arbiter", ["Bytes", "ClusterModel"]),
        pure("HTTP1"),
        pure("Balancing", ["ClusterModel"]),
        pure("ClusterConfig", ["Bytes", "ClusterModel", .product(name: "Yams", package: "Yams")]),

        // Shells: do.
        shell(
            "ResourceRunner",
            ["CLinux", "ClusterModel", "LinuxIO", "Netlink", "Processes", "AgentAPI", "Supervision", "Recovery"]
        ),
        shell("FenceRunner", ["CLinux", "ClusterModel", "LinuxIO", "Processes", "AgentAPI", "Supervision"]),
        shell("ProxyControl", ["Balancing", "ClusterModel", "LinuxIO", "CLinux"]),
        shell("Proxy", ["Balancing", "Bytes", "HTTP1", "ProxyControl", "ClusterModel", "LinuxIO", "CLinux", "CTLS"]),
        // Ends what a lease covered when the agent cannot.
        shell("Guard", ["CLinux", "ClusterModel", "LinuxIO", "Netlink", "Processes"]),
        shell("AdminAPI", ["ClusterModel", .product(name: "FlyingSocks", package: "FlyingFox")]),
        shell("SealedTransport", ["TransportCore", "Cryptography", "Bytes", "ClusterModel"]),
        shell(
            "ClusterSetup",
            [
                "Bytes", "CLinux", "ClusterModel", "Cryptography", "LinuxIO", "Netlink", "Processes", "SealedTransport",
                "Store", "TransportCore",
            ]
        ),
        shell("Lab", ["Processes", "CLinux", "LinuxIO", "ClusterModel"]),
        // The lab's guided tour: clients, faults, measurements.
        shell("Tour", ["AdminAPI", "CLinux", "ClusterModel", "Lab", "LinuxIO", "Processes"]),
        shell(
            "ClusterAgent",
            [
                "AdminAPI", "Arbiter", "Balancing", "Bytes", "CLinux", "ClusterModel", "ClusterSetup", "Consensus",
                "Cryptography", "FenceRunner", "Guard", "LinuxIO", "NodeCore", "Placement", "Processes", "ProxyControl",
                "Recovery", "ResourceRunner", "SealedTransport", "Store", "TransportCore", logging,
            ]
        ),
        shell(
            "HavenCommands",
            [
                "AdminAPI", "ClusterConfig", "ClusterModel", "ClusterSetup", "Lab", "LinuxIO", "Processes",
                "Tour", argumentParser,
            ]
        ),

        // Programs: wiring, arguments, exit codes.
        .executableTarget(name: "haven", dependencies: ["HavenCommands", argumentParser], swiftSettings: shared),
        .executableTarget(
            name: "havend",
            dependencies: [
                "ClusterAgent", "ClusterModel", "ClusterSetup", "LinuxIO", "Processes", argumentParser, logging,
            ],
            swiftSettings: shared
        ),
        .executableTarget(
            name: "haven-proxy",
            dependencies: ["Proxy", "ProxyControl", "LinuxIO", "CLinux"],
            swiftSettings: shared
        ),
        .executableTarget(
            name: "haven-guard",
            dependencies: ["Guard", "LinuxIO", "Processes", "CLinux"],
            swiftSettings: shared
        ),
        // Development only.
        pure("Simulation", ["Bytes", "ClusterModel", "Consensus", "NodeCore", "Recovery"]),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", argumentParser],
            swiftSettings: shared
        ),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Bytes", "CLinux", "ClusterModel", "ClusterSetup", "LinuxIO", "Processes", "ProxyControl", "Store",
            ],
            swiftSettings: shared
        ),

        // The house rules; they read sources and import nothing.
        tests("TidyTests", []),
        tests("BytesTests", ["Bytes"]),
        tests("ClusterModelTests", ["ClusterModel"]),
        tests("LinuxIOTests", ["LinuxIO", "CLinux"]),
        tests("TransportCoreTests", ["TransportCore", "Bytes", "ClusterModel"]),
        tests("SealedTransportTests", ["SealedTransport", "TransportCore", "Cryptography", "Bytes", "ClusterModel"]),
        tests("NetlinkTests", ["Netlink", "Bytes", "CLinux", "LinuxIO", "ClusterModel"]),
        tests("CryptographyTests", ["Cryptography", "Bytes"]),
        tests("StoreTests", ["Store", "CLinux", "LinuxIO"]),
        tests("LabTests", ["Lab", "Processes", "LinuxIO", "ClusterModel"]),
        tests("TourTests", ["AdminAPI", "ClusterModel", "Tour"]),
        // The house rules; reads all sources and imports none.
        tests("ProcessesTests", ["Processes", "LinuxIO", "CLinux", "ClusterModel"]),
        tests("ConsensusTests", ["Bytes", "ClusterModel", "Consensus"]),
        tests("SimulationTests", ["ClusterModel", "Consensus", "NodeCore", "Recovery", "Simulation"]),
        tests("PlacementTests", ["ClusterModel", "Placement"]),
        tests("RecoveryTests", ["ClusterModel", "Placement", "Recovery"], exclude: ["Golden"]),
        tests("AgentAPITests", ["AgentAPI", "ClusterModel"]),
        tests(
            "ResourceRunnerTests",
            [
                "ResourceRunner", "AgentAPI", "ClusterModel", "LinuxIO", "Netlink", "Processes", "Recovery",
                "Supervision", "CLinux",
            ]
        ),
        tests("GuardTests", ["Guard", "ClusterModel", "LinuxIO", "Processes", "CLinux"]),
        tests("FenceRunnerTests", ["FenceRunner", "AgentAPI", "ClusterModel", "LinuxIO", "Processes", "CLinux"]),
        tests("ArbiterTests", ["Arbiter", "Bytes", "ClusterModel"]),
        tests("HTTP1Tests", ["HTTP1"]),
        tests("BalancingTests", ["Balancing", "ClusterModel"]),
        tests(
            "ProxyTests",
            [
                "Proxy", "Balancing", "ProxyControl", "HTTP1", "ClusterModel", "LinuxIO", "CLinux", "CTLS", "Processes",
            ]
        ),
        tests("ClusterConfigTests", ["ClusterConfig", "ClusterModel"]),
        tests("AdminAPITests", ["AdminAPI", "ClusterModel"]),
        tests(
            "ClusterAgentTests",
            [
                "ClusterAgent", "AdminAPI", "Arbiter", "Bytes", "ClusterModel", "Consensus", "Cryptography", "NodeCore",
                "LinuxIO", "Processes", "ProxyControl", "CLinux", logging,
            ]
        ),
        tests("HavenCommandsTests", ["HavenCommands", "AdminAPI", "ClusterConfig", "ClusterModel"]),
        // The programs themselves, on the hosts of a lab; needs root.
        tests("IntegrationTests", ["Lab", "Tour", "AdminAPI", "ClusterModel", "LinuxIO", "Processes"]),
    ]
)
