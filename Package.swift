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

        // Replicated log, failure detection and leases.
        pure("Consensus", ["Bytes", "ClusterModel"]),
        tests("ConsensusTests", ["Bytes", "ClusterModel", "Consensus"]),
        // Development only, never a product: drives production cores through faults in virtual time.
        pure("Simulation", ["Bytes", "ClusterModel", "Consensus"]),
        tests("SimulationTests", ["ClusterModel", "Consensus", "Simulation"]),

        // Platform: know system calls, know no cluster.

        tests("ClusterModelTests", ["ClusterModel"]),
        tests("BytesTests", ["Bytes"]),
    ]
)
