import CLinux
import CTLS
import ClusterModel
import LinuxIO
import Processes
import ProxyControl
import Synchronization
import Testing

/// An authority with certificates of its own, made by the openssl program in a folder that goes with it.
final class TestAuthority {
    private let folder: String
    private static let serial = Atomic<Int>(0)

    init() throws {
        folder = "/tmp/haven-tls-\(getpid())-\(Self.serial.add(1, ordering: .relaxed).newValue)"
        try Self.run("/bin/mkdir", ["-p", "-m", "700", folder])
        try openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
                + ["-subj", "/CN=Test authority", "-keyout", path("ca.key"), "-out", path("ca.pem")]
        )
    }

    deinit { _ = try? Self.run("/bin/rm", ["-rf", folder]) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// A certificate for names with its key, in one PEM file.
    func certificate(_ names: String..., commonName: String? = nil) throws -> PlannedFile {
        let name = "\(Self.serial.add(1, ordering: .relaxed).newValue)"
        try openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                + [
                    "-subj", "/CN=\(commonName ?? names[0])", "-keyout", path("\(name).key"), "-out",
                    path("\(name).csr"),
                ]
                + ["-addext", "subjectAltName=" + names.map { "DNS:\($0)" }.joined(separator: ",")]
        )
        try openssl(
            ["x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-days", "2"]
                + ["-copy_extensions", "copy", "-out", path("\(name).crt")]
        )
        let whole = try read("\(name).crt") + read("\(name).key")
        let file = PlannedFile(path: path("\(name).pem"), content: whole)
        try write(whole, to: file.path)
        return file
    }

    /// Its own certificate, for whoever shall believe it.
    var own: PlannedFile { get throws { PlannedFile(path: path("ca.pem"), content: try read("ca.pem")) } }

    private func read(_ name: String) throws -> String { try Self.run("/bin/cat", [path(name)]) }

    private func write(_ text: String, to path: String) throws {
        var invocation = Invocation("/bin/sh", ["-c", "umask 077; cat > \"$0\"", path])
        invocation.input = .bytes(Array(text.utf8))
        #expect(try ChildProcess.run(invocation, timeout: .seconds(10)).isSuccess)
    }

    @discardableResult
    private func openssl(_ words: [String]) throws -> String { try Self.run("/usr/bin/openssl", words) }

    /// Runs a program; its output.
    @discardableResult
    static func run(_ program: String, _ words: [String], expectSuccess: Bool = true) throws -> String {
        var invocation = Invocation(program, words)
        invocation.output = .capture(limit: 16 << 20)
        invocation.errors = .captureEnd(limit: 1 << 16)
        let result = try ChildProcess.run(invocation, timeout: .seconds(20))
        #expect(result.isSuccess == expectSuccess, "\(program) \(words): \(result.errors.text) \(result.output.text)")
        return result.output.text + (expectSuccess ? "" : result.errors.text)
    }

    /// A context for clients that believe this authority.
    func clientContext() throws -> TestContext { try TestContext(authority: path("ca.pem")) }
}

/// What clients of this process encrypt with.
final class TestContext {
    let pointer: OpaquePointer

    init(authority: String) throws {
        pointer = try #require(SSL_CTX_new(TLS_client_method()))
        haven_tls_set_defaults(pointer)
        #expect(SSL_CTX_load_verify_locations(pointer, authority, nil) == 1)
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    }

    deinit { SSL_CTX_free(pointer) }
}
