import CLinux
import FoundationEssentials
import LinuxIO

/// Compares haven-proxy with the distribution's HAProxy side by side in a network of its own.
///
/// CPU time per request is what is compared: on a small machine the load generator and the origin are the bottleneck, so
/// that requests per second say little about the proxy. The two take turns, and medians over the turns count.
struct Benchmark {
    private var runs = 4
    private var seconds = 2
    private var proxy: String

    private static let usage = """
        usage: bench [--runs N] [--seconds N] [--proxy PATH]
               bench heartbeat [--nodes N] [--seconds N] [--agent PATH]

        """

    static func main(_ words: [String]) -> Int32 {
        let run: (() throws -> Bool)? =
            words.first == "heartbeat"
            ? HeartbeatBenchmark(words.dropFirst()).map { benchmark in { try benchmark.run() } }
            : Benchmark(words[...]).map { benchmark in { try benchmark.run() } }
        guard let run else {
            complain(usage)
            return 2
        }
        do {
            return try run() ? 0 : 1
        } catch {
            complain("bench: \(error)\n")
            return 1
        }
    }

    private init?(_ words: ArraySlice<String>) {
        proxy = Programs.beside("haven-proxy")
        var rest = words
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch option {
            case "--runs":
                guard let count = Int(value), (1...100).contains(count) else { return nil }
                runs = count
            case "--seconds":
                guard let count = Int(value), (1...60).contains(count) else { return nil }
                seconds = count
            case "--proxy": proxy = value
            default: return nil
            }
        }
    }

    /// Whether haven-proxy needs no more CPU time than HAProxy in every workload.
    private func run() throws -> Bool {
        guard geteuid() == 0 else { throw BenchmarkError("needs root: it makes a network namespace of its own") }
        guard access(proxy, X_OK) == 0 else { throw BenchmarkError("\(proxy) is not there; build it in release mode") }
        let programs = try Programs()
        // From here on the machine's own network is out of reach; the namespace ends with this process.
        try SystemError.check("unshare") { haven_unshare(CLONE_NEWNET) }
        try programs.prepareNetwork()
        let bench = try Bench(programs: programs, proxy: proxy)
        defer { bench.close() }
        var rows: [Row] = []
        for workload in Workload.all { rows += try measure(workload, bench) }
        let report = Report(rows: rows, runs: runs, seconds: seconds)
        print(report.table)
        try report.save(to: "bench-results")
        return report.isGood
    }

    private func measure(_ workload: Workload, _ bench: Bench) throws -> [Row] {
        var samples: [System: [Sample]] = [:]
        for turn in 1...runs {
            for system in System.allCases {
                let sample = try bench.sample(system, workload, seconds: seconds)
                samples[system, default: []].append(sample)
                Self.complain(
                    "\(workload.name) turn \(turn)/\(runs) \(system.rawValue): \(Report.fixed(sample.cpuMicroseconds, 1)) us/request\n"
                )
            }
        }
        return System.allCases.map { Row(workload: workload.name, system: $0, samples: samples[$0] ?? []) }
    }

    private static func complain(_ text: String) {
        let bytes = Array(text.utf8)
        _ = haven_write(2, bytes, bytes.count)
    }
}

/// What keeps a benchmark from running.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Who is measured.
enum System: String, CaseIterable {
    case haven = "haven-proxy"
    case haproxy = "HAProxy"
}

/// What is asked.
struct Workload {
    var name: String
    var path: String
    var fields: [String]

    /// 128-byte files over connections that are kept: once with the fields of a load generator, once as a browser asks.
    static let all = [
        Workload(name: "ka128", path: "/128", fields: []),
        Workload(
            name: "ka128c",
            path: "/128",
            fields: [
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
                "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate", "Referer: http://cloud.test/dash/",
                "Cookie: csrftoken=4yHk1mUeWq8Ra3; SRV=A; sessionid=7s2m0q9x1c4v5b6n",
            ]
        ),
    ]
}
