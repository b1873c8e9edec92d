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

        // Platform: know system calls, know no cluster.
        shell("LinuxIO", ["CLinux", "ClusterModel"]),

        // The load balancer.
        pure("HTTP1"),
        pure("Balancing", ["ClusterModel"]),
        shell("ProxyControl", ["Balancing", "ClusterModel", "LinuxIO", "CLinux"]),
        shell("Proxy", ["Balancing", "HTTP1", "ProxyControl", "ClusterModel", "LinuxIO", "CLinux"]),
        .executableTarget(
            name: "haven-proxy",
            dependencies: ["Proxy", "ProxyControl", "LinuxIO", "CLinux"],
            swiftSettings: shared
        ),
        .executableTarget(name: "bench", dependencies: ["CLinux"], swiftSettings: shared),
        tests("HTTP1Tests", ["HTTP1"]),
        tests("BalancingTests", ["Balancing", "ClusterModel"]),
        tests("ProxyTests", ["Proxy", "Balancing", "ProxyControl", "HTTP1", "ClusterModel", "LinuxIO", "CLinux"]),

        tests("LinuxIOTests", ["LinuxIO", "CLinux"]),
        tests("ClusterModelTests", ["ClusterModel"]),
        tests("BytesTests", ["Bytes"]),
    ]
)
