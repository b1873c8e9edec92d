import Testing

@Suite
struct ImportTests {
    @Test
    func `Dependencies point down`() throws {
        let targets = try PackageManifest(Repository.text("Package.swift")).targets.filter { $0.kind != .test }
        #expect(targets.count >= 6)
        let names = Set(targets.map(\.name))
        for target in targets {
            guard let layer = Layer.all[target.name] else {
                Issue.record("\(target.name) stands in no layer: add it to Tests/TidyTests/Layers.swift")
                continue
            }
            for dependency in target.dependencies where names.contains(dependency) {
                guard let below = Layer.all[dependency] else { continue }
                let allowed = below.rawValue < layer.rawValue || Layer.withinLayer[target.name]?[dependency] != nil
                #expect(
                    allowed,
                    "\(target.name) (\(layer)) depends on \(dependency) (\(below)): move what it needs one layer down"
                )
            }
        }
    }

    @Test
    func `Pure targets depend on pure targets only`() throws {
        let targets = try PackageManifest(Repository.text("Package.swift")).targets
        let pure = Set(targets.filter { $0.kind == .pure }.map(\.name))
        try #require(pure.contains("ClusterModel"))
        for target in targets where target.kind == .pure {
            let allowed = pure.union(Layer.packagesOfPure[target.name] ?? [])
            for dependency in target.dependencies {
                #expect(
                    allowed.contains(dependency),
                    "the pure target \(target.name) depends on \(dependency): let its shell do that, and hand the result in"
                )
            }
        }
    }

    @Test
    func `Files import only what their target declares`() throws {
        let targets = try PackageManifest(Repository.text("Package.swift")).targets
        let byName = Dictionary(targets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let files = try Repository.sources.get()
        for stray in Set(files.map(\.target)).subtracting(byName.keys) {
            Issue.record("Sources/\(stray) is no target of Package.swift")
        }
        for file in files {
            guard let target = byName[file.target] else { continue }
            var allowed = Layer.free.union(target.dependencies)
            if target.kind != .pure { allowed.formUnion(Layer.freeOutsidePure) }
            for (line, module) in imports(file) {
                #expect(
                    allowed.contains(module),
                    "\(file.path):\(line) imports \(module), which \(target.name) does not declare in Package.swift"
                )
            }
        }
    }

    @Test
    func `The manifest is read as it is written`() {
        let manifest = PackageManifest(
            """
            func pure(_ name: String) -> Target {}
            let parser: Target.Dependency = .product(name: "Parser", package: "swift-parser")
            let package = Package(
                dependencies: [.package(url: "https://example.com/x", from: "1.0.0")],
                targets: [
                    .target(name: "C"),
                    .systemLibrary(name: "Lib", pkgConfig: "lib", providers: [.apt(["lib-dev"])]),
                    pure("A"),  // tests("B")
                    shell("S", ["A", .product(name: "P", package: "p"), parser]),
                    .executableTarget(name: "x", dependencies: ["S"], swiftSettings: shared),
                    tests("STests", ["S"]),
                ]
            )
            """
        )
        #expect(
            manifest.targets == [
                .init(name: "C", kind: .c, dependencies: []), .init(name: "Lib", kind: .c, dependencies: []),
                .init(name: "A", kind: .pure, dependencies: []),
                .init(name: "S", kind: .shell, dependencies: ["A", "P", "Parser"]),
                .init(name: "x", kind: .executable, dependencies: ["S"]),
                .init(name: "STests", kind: .test, dependencies: ["S"]),
            ]
        )
    }
}

/// The modules that a file imports, with line numbers.
func imports(_ file: SourceFile) -> [(line: Int, module: String)] {
    file.code.enumerated().compactMap { index, line in
        let words = line.split(separator: " ")
        guard let position = words.firstIndex(of: "import"), position + 1 < words.count else { return nil }
        let isImport = words[..<position].allSatisfy {
            $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0)
        }
        // `import struct Module.Name` names the module before the dot.
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "typealias"]
        let next = kinds.contains(words[position + 1]) ? position + 2 : position + 1
        guard isImport, next < words.count else { return nil }
        return (index + 1, String(words[next].prefix { $0 != "." }))
    }
}
