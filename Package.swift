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
    dependencies: [],
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

        // Platform: know system calls, know no cluster.
        shell("LinuxIO", ["CLinux", "ClusterModel"]),

        // Lab: child processes, hosts in namespaces, house rules.
        shell("Processes", ["CLinux", "LinuxIO", "ClusterModel"]),
        tests("ProcessesTests", ["Processes", "LinuxIO", "CLinux", "ClusterModel"]),

        // LinuxIO for descriptors and errors.
        shell("Netlink", ["CLinux", "LinuxIO", "ClusterModel"]),

        // Runners: the agent APIs, worker threads, operations on resources, fencing.
        pure("AgentAPI", ["ClusterModel"]),
        shell("Supervision", ["CLinux", "ClusterModel", "LinuxIO", "Processes"]),
        shell("FenceRunner", ["CLinux", "ClusterModel", "LinuxIO", "Processes", "AgentAPI", "Supervision"]),
        shell(
            "ResourceRunner",
            [
                "CLinux", "ClusterModel", "LinuxIO", "Netlink", "Processes", "AgentAPI", "Supervision", "Recovery",
            ]
        ),
        tests("AgentAPITests", ["AgentAPI", "ClusterModel"]),
        tests(
            "ResourceRunnerTests",
            [
                "ResourceRunner", "AgentAPI", "ClusterModel", "LinuxIO", "Netlink", "Processes", "Recovery",
                "Supervision", "CLinux",
            ]
        ),
        tests("FenceRunnerTests", ["FenceRunner", "AgentAPI", "ClusterModel", "LinuxIO", "Processes", "CLinux"]),

        tests("LinuxIOTests", ["LinuxIO", "CLinux"]),
        tests("ClusterModelTests", ["ClusterModel"]),
        tests("BytesTests", ["Bytes"]),
    ]
)
