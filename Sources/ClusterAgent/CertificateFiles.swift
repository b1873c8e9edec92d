import ClusterModel
import Foundation
import LinuxIO
import ProxyControl

/// The certificates and keys that listeners and servers name, as they are on this node now.
///
/// A file is read again when its time, size or number changes: that is how a renewed certificate is noticed. One thread
/// uses it.
struct CertificateFiles {
    /// How often it is looked whether a file has changed.
    static let lookInterval = Duration.seconds(2)
    /// The largest file that is read.
    static let fileBytes = 1 << 20
    /// Where the authorities of the system are.
    static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    private struct Stamp: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var changed: Int64
    }

    private struct Known {
        var stamp: Stamp
        var file: PlannedFile
    }

    private var known: [String: Known] = [:]
    private var used: Set<String> = []

    /// Fills in what the proxy needs of files.
    mutating func complete(_ listeners: [PlannedListener], ticketKeys: [Secret]) -> [PlannedListener] {
        used = []
        let completed = listeners.map { planned in
            var planned = planned
            planned.tls = planned.listener.tls.map { tls in
                PlannedTLS(
                    certificates: tls.certificates.flatMap { certificates(at: $0) },
                    authority: tls.authority.map { file($0) },
                    ticketKeys: ticketKeys
                )
            }
            let servers = planned.listener.servers.compactMap { server in
                server.tls.map { tls in
                    (
                        server.name,
                        PlannedServerTLS(
                            authority: tls.isVerified ? file(tls.authority ?? Self.systemAuthorities) : nil,
                            certificate: tls.certificate.map { file($0) }
                        )
                    )
                }
            }
            planned.serverTLS = servers.isEmpty ? nil : Dictionary(servers) { first, _ in first }
            return planned
        }
        known = known.filter { used.contains($0.key) }
        return completed
    }

    /// One file, or those of a directory that hold certificates: names that end in `.pem` or `.crt`, in their order.
    private mutating func certificates(at path: String) -> [PlannedFile] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            return [withKey(path)]
        }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            return [PlannedFile(path: path, fault: "it cannot be read")]
        }
        let chosen = names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".pem") || $0.hasSuffix(".crt")) }.sorted()
        if chosen.isEmpty { return [PlannedFile(path: path, fault: "there is no file with .pem or .crt in it")] }
        if chosen.count > PlanLimits.certificates {
            return [PlannedFile(path: path, fault: "there are more than \(PlanLimits.certificates) files in it")]
        }
        return chosen.map { withKey("\(path)/\($0)") }
    }

    /// A certificate with the key that may lie beside it in `FILE.key`.
    private mutating func withKey(_ path: String) -> PlannedFile {
        let certificate = file(path)
        guard certificate.fault == nil, !certificate.content.exposed.contains("PRIVATE KEY-----") else {
            return certificate
        }
        let key = file("\(path).key")
        guard key.fault == nil else {
            return PlannedFile(path: path, fault: "there is no key in it, and none in \(path).key")
        }
        return PlannedFile(path: path, content: certificate.content.exposed + "\n" + key.content.exposed)
    }

    private mutating func file(_ path: String) -> PlannedFile {
        used.insert(path)
        guard let stamp = Self.stamp(path) else { return PlannedFile(path: path, fault: "there is no such file") }
        if let known = known[path], known.stamp == stamp { return known.file }
        let file = Self.read(path, stamp)
        known[path] = Known(stamp: stamp, file: file)
        return file
    }

    private static func stamp(_ path: String) -> Stamp? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return Stamp(
            device: UInt64(facts.st_dev),
            inode: UInt64(facts.st_ino),
            size: Int64(facts.st_size),
            changed: Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec)
        )
    }

    private static func read(_ path: String, _ stamp: Stamp) -> PlannedFile {
        if stamp.size > Self.fileBytes { return PlannedFile(path: path, fault: "it is larger than \(fileBytes) bytes") }
        guard let data = FileManager.default.contents(atPath: path) else {
            return PlannedFile(path: path, fault: "it cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            return PlannedFile(path: path, fault: "it is no PEM")
        }
        return PlannedFile(path: path, content: text)
    }
}
