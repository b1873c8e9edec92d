import CLinux
import FoundationEssentials
import LinuxIO
import Proxy
import ProxyControl

/// The command line.
///
/// Written by hand: it has five options, and the proxy stays small without a parser library.
struct ProxyArguments {
    private var options = ProxyOptions()
    private var standalone: String?
    private var fault: String?

    private static let usage = """
        usage: haven-proxy --control SOCKET [--lease FILE] [--user NAME] [--threads N]
               haven-proxy --standalone PLAN.json [--user NAME] [--threads N]

        """

    static func parse(_ words: [String]) -> ProxyArguments {
        var parsed = ProxyArguments()
        // Hostile input is not parsed as root, whoever forgets to say so.
        parsed.options.user = "haven-proxy"
        parsed.options.threads = Int(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        var rest = words[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else {
                parsed.fault = "\(option) needs a value"
                break
            }
            parsed.take(option, value)
        }
        if parsed.fault == nil, (parsed.options.controlPath == nil) == (parsed.standalone == nil) {
            parsed.fault = "one of --control and --standalone is needed"
        }
        return parsed
    }

    private mutating func take(_ option: String, _ value: String) {
        switch option {
        case "--control": options.controlPath = value
        case "--lease": options.leasePath = value
        case "--user": options.user = value
        case "--standalone": standalone = value
        case "--threads":
            guard let count = Int(value), (1...PlanLimits.threads).contains(count) else {
                fault = "--threads must be 1 to \(PlanLimits.threads)"
                return
            }
            options.threads = count
        default: fault = "unknown option \(option)"
        }
    }

    /// Serves until SIGTERM or SIGINT; the process's exit code.
    func run() -> Int32 {
        if let fault {
            Self.complain("\(fault)\n\(Self.usage)")
            return 2
        }
        do {
            var options = options
            if let standalone { options.plan = try Self.plan(from: standalone) }
            options.endsOn = [SIGTERM, SIGINT]
            try ProxyProcess(options, stopper: ProxyStopper()).run()
            return 0
        } catch {
            Self.complain("\(error)\n")
            return 1
        }
    }

    private static func plan(from path: String) throws -> ProxyPlan {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(upTo: 65_536)
            if more.isEmpty { break }
            bytes += more
            guard bytes.count <= ControlFrame.payloadBytes else { throw ProxyControlError.tooLarge(bytes.count) }
        }
        return try JSONDecoder().decode(ProxyPlan.self, from: Data(bytes))
    }

    private static func complain(_ text: String) {
        let bytes = Array("haven-proxy: \(text)".utf8)
        _ = haven_write(2, bytes, bytes.count)
    }
}
