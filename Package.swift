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

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: shared)
}

let package = Package(
    name: "haven",
    dependencies: [
        // Configuration files, admin socket and command line.
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swhitty/FlyingFox.git", from: "0.27.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // C shims: system calls that Swift cannot reach or that must inline.
        .target(name: "CLinux"),

        // Nouns and bytes.
        pure("Bytes"),
        pure("ClusterModel"),

        // Deciding: what runs where, and what is done next about it. Recovery asks Placement for the wanted state.
        pure("Placement", ["ClusterModel"]),
        pure("Recovery", ["ClusterModel", "Placement"]),
        tests("PlacementTests", ["ClusterModel", "Placement"]),
        tests("RecoveryTests", ["ClusterModel", "Placement", "Recovery"]),
        // Replicated log, failure detection and leases.
        pure("Consensus", ["Bytes", "ClusterModel"]),
        tests("ConsensusTests", ["Bytes", "ClusterModel", "Consensus"]),

        // Platform: know system calls, know no cluster.
        shell("LinuxIO", ["CLinux", "ClusterModel"]),

        // Lab: child processes, hosts in namespaces, house rules.
        shell("Processes", ["CLinux", "LinuxIO", "ClusterModel"]),
        shell("Lab", ["Processes", "CLinux", "LinuxIO", "ClusterModel"]),
        tests("LabTests", ["Lab", "Processes", "LinuxIO", "ClusterModel"]),
        // The house rules; reads all sources and imports none.
        tests("TidyTests", []),
        tests("ProcessesTests", ["Processes", "LinuxIO", "CLinux", "ClusterModel"]),
        // Cryptography, durable state and addresses of the machine.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        shell("Cryptography", ["COpenSSL"]),
        // LinuxIO for files that are written whole or not at all.
        shell("Store", ["Bytes", "CLinux", "LinuxIO", .product(name: "GRDB", package: "GRDB.swift")]),
        tests("CryptographyTests", ["Cryptography", "Bytes"]),
        tests("StoreTests", ["Store", "CLinux", "LinuxIO"]),

        // Runners: the agent APIs, worker threads, operations on resources, fencing.
        pure("AgentAPI", ["ClusterModel"]),
        shell("Supervision", ["CLinux", "ClusterModel", "LinuxIO", "Processes"]),
        shell("FenceRunner", ["CLinux", "ClusterModel", "LinuxIO", "Processes", "AgentAPI", "Supervision"]),
        tests("AgentAPITests", ["AgentAPI", "ClusterModel"]),
        tests("FenceRunnerTests", ["FenceRunner", "AgentAPI", "ClusterModel", "LinuxIO", "Processes", "CLinux"]),

        tests("LinuxIOTests", ["LinuxIO", "CLinux"]),
        // Configuration files, admin socket and command line.
        pure("ClusterConfig", ["ClusterModel", .product(name: "Yams", package: "Yams")]),
        shell("AdminAPI", ["ClusterModel", .product(name: "FlyingSocks", package: "FlyingFox")]),
        shell(
            "HavenCommands",
            [
                "ClusterModel", "ClusterConfig", "AdminAPI", "Lab", "LinuxIO", "Processes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "haven",
            dependencies: ["HavenCommands", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: shared
        ),
        tests("ClusterConfigTests", ["ClusterConfig", "ClusterModel"]),
        tests("AdminAPITests", ["AdminAPI", "ClusterModel"]),
        tests("HavenCommandsTests", ["HavenCommands", "AdminAPI", "ClusterConfig", "ClusterModel"]),

        tests("ClusterModelTests", ["ClusterModel"]),
        tests("BytesTests", ["Bytes"]),
    ]
)
