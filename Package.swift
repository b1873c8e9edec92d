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
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0")
    ],
    targets: [
        // C shims: system calls that Swift cannot reach or that must inline.
        .target(name: "CLinux"),

        // Nouns and bytes.
        pure("Bytes"),
        pure("ClusterModel"),

        // Platform: know system calls, know no cluster.
        shell("LinuxIO", ["CLinux", "ClusterModel"]),

        // Cryptography, durable state and addresses of the machine.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        shell("Cryptography", ["COpenSSL"]),
        // LinuxIO for files that are written whole or not at all.
        shell("Store", ["Bytes", "CLinux", "LinuxIO", .product(name: "GRDB", package: "GRDB.swift")]),
        // LinuxIO for descriptors and errors.
        shell("Netlink", ["CLinux", "LinuxIO", "ClusterModel"]),
        // Traffic between agents: the core decides, SealedTransport seals.
        pure("TransportCore", ["Bytes", "ClusterModel"]),
        shell("SealedTransport", ["TransportCore", "Cryptography", "Bytes", "ClusterModel"]),
        tests("TransportCoreTests", ["TransportCore", "Bytes", "ClusterModel"]),
        tests("SealedTransportTests", ["SealedTransport", "TransportCore", "Cryptography", "Bytes", "ClusterModel"]),
        tests("NetlinkTests", ["Netlink", "Bytes", "CLinux", "LinuxIO", "ClusterModel"]),
        tests("CryptographyTests", ["Cryptography", "Bytes"]),
        tests("StoreTests", ["Store", "CLinux", "LinuxIO"]),

        tests("LinuxIOTests", ["LinuxIO", "CLinux"]),
        tests("ClusterModelTests", ["ClusterModel"]),
        tests("BytesTests", ["Bytes"]),
    ]
)
