import ClusterModel
import Cryptography
import Foundation
import ProxyControl
import Testing

@testable import ClusterAgent

/// Certificates as they lie on a node.
@Suite
struct CertificateFilesTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "haven-certificates-\(getpid())-\(UInt32.random(in: 0 ... .max))"

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
    }

    private let folder: Folder

    init() throws { folder = try Folder() }

    private func planned(_ paths: [String], _ files: inout CertificateFiles) -> [PlannedFile] {
        var listener = Listener(name: "web", binds: [], mode: .http)
        listener.tls = ListenerTLS(certificates: paths)
        let completed = files.complete([PlannedListener(listener)], ticketKeys: [])
        return completed.first?.tls?.certificates ?? []
    }

    private static let key = "-----BEGIN PRIVATE KEY-----\n"

    @Test
    func `A file, a file with its key beside it, and a directory are read in their order`() throws {
        try folder.write("b.pem", "B \(Self.key)")
        try folder.write("a.crt", "A")
        try folder.write("a.crt.key", Self.key)
        try folder.write("notes.txt", "no certificate")
        try folder.write(".hidden.pem", "H")
        var files = CertificateFiles()
        let found = planned([folder.path, "\(folder.path)/b.pem"], &files)
        #expect(found.map(\.path) == ["a.crt", "b.pem", "b.pem"].map { "\(folder.path)/\($0)" })
        #expect(found.map(\.content.exposed) == ["A\n\(Self.key)", "B \(Self.key)", "B \(Self.key)"])
        #expect(found.allSatisfy { $0.fault == nil })
    }

    @Test
    func `What cannot be read is said with its place`() throws {
        try folder.write("nokey.pem", "A")
        try folder.write("large.pem", String(repeating: "x", count: CertificateFiles.fileBytes + 1))
        var files = CertificateFiles()
        let found = planned(
            ["/gone.pem", "\(folder.path)/nokey.pem", "\(folder.path)/large.pem", "/proc/self/task"],
            &files
        )
        #expect(found[0].fault == "there is no such file" && found[0].path == "/gone.pem")
        #expect(found[1].fault == "there is no key in it, and none in \(folder.path)/nokey.pem.key")
        #expect(found[2].fault?.contains("larger than") == true)
        #expect(found[3].fault == "there is no file with .pem or .crt in it")
    }

    @Test
    func `A file that changes is read again, and others are not`() throws {
        try folder.write("a.pem", "one \(Self.key)")
        var files = CertificateFiles()
        #expect(planned(["\(folder.path)/a.pem"], &files).map(\.content.exposed) == ["one \(Self.key)"])
        // As a renewal does it: another file in its place.
        try folder.write("new", "two \(Self.key)")
        try FileManager.default.removeItem(atPath: "\(folder.path)/a.pem")
        try FileManager.default.moveItem(atPath: "\(folder.path)/new", toPath: "\(folder.path)/a.pem")
        #expect(planned(["\(folder.path)/a.pem"], &files).map(\.content.exposed) == ["two \(Self.key)"])
    }

    @Test
    func `Servers get authorities where they are verified, and those of the system where none are named`() throws {
        try folder.write("ca.pem", "CA")
        var listener = Listener(name: "web", binds: [], mode: .http)
        let endpoint = try #require(Endpoint("10.0.0.1:443"))
        for (name, authority, verifies) in [("a", "\(folder.path)/ca.pem", true), ("b", nil, true), ("c", nil, false)] {
            var server = Server(name: name, endpoint: endpoint)
            server.tls = ServerTLS()
            server.tls?.authority = authority
            server.tls?.isVerified = verifies
            listener.servers.append(server)
        }
        listener.servers.append(Server(name: "plain", endpoint: endpoint))
        var files = CertificateFiles()
        let found = files.complete([PlannedListener(listener)], ticketKeys: []).first?.serverTLS
        #expect(found?["a"]?.authority?.content.exposed == "CA")
        #expect(found?["b"]?.authority?.path == CertificateFiles.systemAuthorities)
        #expect(found?["c"] == PlannedServerTLS())
        #expect(found?["plain"] == nil)
    }

    @Test
    func `Ticket keys are the same everywhere, and those of neighbouring days open`() {
        let secret = SecretBytes([UInt8](repeating: 7, count: 32))
        let day: Int64 = 86_400_000
        let today = TicketKeys.keys(from: secret, wallClock: 100 * day + 5)
        let tomorrow = TicketKeys.keys(from: SecretBytes([UInt8](repeating: 7, count: 32)), wallClock: 101 * day + 5)
        #expect(today.count == 3 && Set(today).count == 3)
        #expect(today.allSatisfy { $0.exposed.utf8.count == 2 * PlannedTLS.ticketKeyBytes })
        #expect(today == TicketKeys.keys(from: secret, wallClock: 100 * day + 7_000_000))
        // What seals today opens tomorrow, and the other way round for clocks that are apart.
        #expect(tomorrow.contains(today[0]) && today.contains(tomorrow[0]))
        #expect(TicketKeys.keys(from: SecretBytes([1]), wallClock: 100 * day) != today)
    }
}
