import AdminAPI
import ClusterConfig
import ClusterModel
import FoundationEssentials
import Glibc

extension Session {
    /// The agent of this node (`HAVEN_SOCKET` names another socket), this terminal and this machine's files.
    public static var live: Session {
        let path = ProcessInfo.processInfo.environment["HAVEN_SOCKET"] ?? AdminLimits.socketPath
        let client = AdminClient(path: path)
        return Session(
            send: { request throws(AdminClientError) in try client.send(request) },
            print: { Swift.print($0) },
            printError: { text in
                FileHandleText.standardError.write(text + "\n")
            },
            readFile: { path throws(CommandFailure) in try readText(path) },
            readSecret: { parameter, source throws(CommandFailure) in try fetchSecret(parameter, source) }
        )
    }

    /// The largest file that is read; a cluster file is refused at less.
    private static let longestFile = 16 * 1024 * 1024

    private static func readText(_ path: String) throws(CommandFailure) -> String {
        let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(path): \(String(cString: strerror(errno)))") }
        defer { if descriptor != 0 { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw CommandFailure(.failed, "\(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += buffer[..<count]
            if bytes.count > longestFile {
                throw CommandFailure(.failed, "\(path): larger than \(longestFile) bytes")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(.failed, "\(path): no UTF-8 text")
        }
        return text
    }

    private static func fetchSecret(_ parameter: String, _ source: SecretSource) throws(CommandFailure) -> Secret {
        switch source {
        case .stored: return .masked
        case .prompt:
            guard let text = getpass("\(parameter): ").map({ String(cString: $0) }) else {
                throw CommandFailure(.usage, "there is no terminal to ask for \(parameter); give \(parameter)=@FILE")
            }
            return try secret(text, parameter, "what was typed")
        case .file(let path):
            var information = stat()
            if stat(path, &information) == 0, information.st_mode & 0o077 != 0 {
                throw CommandFailure(.failed, "\(path): others may read it; chmod 600 \(path), and change the secret")
            }
            return try secret(try readText(path), parameter, path)
        }
    }

    /// The first line; agents read parameters by line.
    private static func secret(_ text: String, _ parameter: String, _ origin: String) throws(CommandFailure) -> Secret {
        let line = text.prefix { !$0.isNewline }
        if line.isEmpty { throw CommandFailure(.failed, "\(origin): the first line, for \(parameter), is empty") }
        return Secret(String(line))
    }
}

/// Standard error, written whole.
private enum FileHandleText {
    case standardError

    func write(_ text: String) {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            left = left.dropFirst(count)
        }
    }
}
