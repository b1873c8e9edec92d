import CLinux
import ClusterModel
import LinuxIO
import Processes

/// The programs of the distribution that a benchmark needs.
struct Programs {
    let haproxy: String
    let nginx: String
    let wrk: String
    private let taskset: String
    private let nice: String
    private let ip: String

    init() throws {
        func find(_ name: String, package: String) throws -> String {
            guard let path = Invocation.find(name) else {
                throw BenchmarkError("\(name) is missing: apt-get install --no-install-recommends \(package)")
            }
            return path
        }
        haproxy = try find("haproxy", package: "haproxy")
        nginx = try find("nginx", package: "nginx-light")
        wrk = try find("wrk", package: "wrk")
        taskset = try find("taskset", package: "util-linux")
        nice = try find("nice", package: "coreutils")
        ip = try find("ip", package: "iproute2")
    }

    /// A program of the same build as this one.
    static func beside(_ name: String) -> String {
        let own = CommandLine.arguments.first ?? ""
        let directory = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return directory.joined(separator: "/") + "/\(name)"
    }

    /// Loopback, and a congestion control without pacing timers, which would disturb figures on loopback.
    func prepareNetwork() throws {
        let result = try ChildProcess.run(Invocation(ip, ["link", "set", "lo", "up"]), timeout: .seconds(10))
        guard result.isSuccess else { throw BenchmarkError("ip link set lo up: \(result.errors.text)") }
        let file = try Descriptor.open("/proc/sys/net/ipv4/tcp_congestion_control", O_WRONLY)
        try file.writeAll(Array("reno".utf8))
    }

    /// A call on one processor, before all others.
    func pinned(_ processor: Int, _ program: String, _ arguments: [String]) -> Invocation {
        Invocation(taskset, ["-c", "\(processor)", nice, "-n", "-20", program] + arguments)
    }
}
