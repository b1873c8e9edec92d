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
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2")
    ],
    targets: [
        // C shims: system calls that Swift cannot reach or that must inline.
        .target(name: "CLinux"),

        // Nouns and bytes.
        pure("Bytes"),
        pure("ClusterModel"),

        // Platform: know system calls, know no cluster.
        shell("LinuxIO", ["CLinux", "ClusterModel"]),

        // Lab: child processes, hosts in namespaces, house rules.
        shell("Processes", ["CLinux", "LinuxIO", "ClusterModel"]),
        shell("Lab", ["Processes", "CLinux", "LinuxIO", "ClusterModel"]),
        shell(
            "HavenCommands",
            [
                "Lab", "LinuxIO", "Processes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "haven",
            dependencies: ["HavenCommands", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: shared
        ),
        tests("ProcessesTests", ["Processes", "LinuxIO", "CLinux", "ClusterModel"]),

        tests("LinuxIOTests", ["LinuxIO", "CLinux"]),
        tests("ClusterModelTests", ["ClusterModel"]),
        tests("BytesTests", ["Bytes"]),
    ]
)
