import AdminAPI
import ClusterModel
import Foundation
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// The README's tour, typed word by word as it is printed.
    @Suite(.serialized, .timeLimit(.minutes(5)))
    struct ReadmeTests {
        private static let lab = "itreadme"
        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()

        /// The indented lines of a section, as they would be copied.
        private static func commands(of section: String) throws -> [String] {
            let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let begin = try #require(lines.firstIndex { $0 == "## \(section)" })
            return lines[(begin + 1)...].prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("    ") }
                .map { String($0.dropFirst(4)) }
        }

        /// Types lines into a shell of this machine.
        private func type(_ lines: String, input: String = "") throws -> String {
            var call = Invocation("/bin/bash", ["-euo", "pipefail", "-c", lines])
            var environment = Invocation.currentEnvironment()
            // Other labs of this machine stay as they are.
            environment["HAVEN_LAB"] = Self.lab
            let directory = String(LabScope.haven.dropLast("/haven".count))
            environment["PATH"] = "\(directory):\(Invocation.searchPath)"
            call.environment = environment
            call.directory = Self.root.path()
            if !input.isEmpty { call.input = .bytes(Array(input.utf8)) }
            let result = try ChildProcess.run(call, timeout: .seconds(120))
            let said = "\(lines)\n\(result.exit)\n\(result.output.text)\n\(result.errors.text)"
            try #require(result.isSuccess, "\(said)")
            return result.output.text
        }

        @Test
        func `The tour works as it is printed`() throws {
            try Lab.down(Self.lab)
            defer { try? Lab.down(Self.lab) }
            let commands = try Self.commands(of: "Ten minutes with it")
            // The first line builds and sets the path; then follow those outside, the shell, and what is typed in it.
            #expect(commands.first == "make build && export PATH=$PWD/.build/release:$PATH")
            let shell = try #require(commands.firstIndex { $0.hasPrefix("haven lab exec ctl1 -- bash") })
            let outside = try #require(commands.firstIndex { $0.hasPrefix("haven lab exec client") })
            _ = try type(commands[1..<shell].joined(separator: "\n"))
            let typed = commands[(shell + 1)..<outside].joined(separator: "\n")
            let said = try type(commands[shell], input: "set -eu\n\(typed)\n")
            #expect(said.contains("Online: [ ctl1 ctl2 ctl3 ]"))
            #expect(said.contains("Quorate: yes"))
            #expect(said.contains("VirtualIP (ocf::heartbeat:IPaddr2): Started "))
            #expect(said.contains("App (process): Started "))
            #expect(said.contains("away: ") && said.contains("back: "))
            let cluster = TestCluster(lab: try Lab.open(Self.lab))
            try cluster.waitUntil("the servers are up", on: "ctl1") {
                $0.listeners.first?.servers.filter { $0.health == .up }.count == 3
            }
            let faults = Array(commands[outside...])
            for line in faults.dropLast() {
                let fenced = cluster.status("ctl2")?.fence(of: "ctl1")?.incarnation ?? 0
                try check(line, type(line), cluster, fencedBefore: fenced)
            }
            #expect(faults.last == "haven lab down")
            _ = try type("haven lab down")
            #expect(throws: LabError.self) { try Lab.open(Self.lab) }
        }

        /// What an operator would see after a line.
        private func check(_ line: String, _ said: String, _ cluster: TestCluster, fencedBefore: Incarnation) throws {
            let words = line.split(separator: " ").prefix { $0 != "#" }.joined(separator: " ")
            if words.contains("curl") {
                #expect(said.hasPrefix("HTTP/1.1 200") && said.lowercased().contains("set-cookie: serverid=ctl"))
            } else if words.contains("haven plan") {
                #expect(said.contains("horizon-tcp"), "\(said)")
            } else if words.contains("haven apply") {
                try cluster.waitUntil("the file is applied", on: "ctl2") { $0.listeners.count == 2 }
            } else if words.hasSuffix("power off ctl1") || words.contains("partition") {
                try cluster.waitUntil("ctl1 is fenced", on: "ctl2") {
                    guard let fence = $0.fence(of: "ctl1"), let place = $0.place(of: "App") else { return false }
                    return fence.outcome == .verified && fence.incarnation > fencedBefore && place != "ctl1"
                        && $0.place(of: "VirtualIP") == place
                }
            } else if words.hasSuffix("power on ctl1") || words.hasSuffix("heal") {
                try cluster.waitUntil("ctl1 is back", on: "ctl2") { $0.online == ["ctl1", "ctl2", "ctl3"] }
            }
        }

        @Test
        func `The other commands of the README name what is there`() throws {
            let text = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
            let makefile = try String(contentsOf: Self.root.appending(path: "Makefile"), encoding: .utf8)
            for line in try Self.commands(of: "Two commands") {
                let words = line.split(separator: " ")
                #expect(words.first == "make" && makefile.contains("\n\(words[1]):"), "\(line)")
            }
            for match in text.matches(of: /\]\((?<path>[a-z][^):]*)\)|`(?<file>cluster-configs\/[^`*]+)`/) {
                guard let path = match.output.path ?? match.output.file else { continue }
                #expect(
                    FileManager.default.fileExists(atPath: Self.root.appending(path: String(path)).path()),
                    "\(path)"
                )
            }
        }
    }
}
