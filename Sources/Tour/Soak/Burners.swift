internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes

/// Processes of this machine that keep every processor busy, as many as there are processors.
///
/// They end with certainty: killed when this value goes, by themselves when their time is over or their parent has gone.
final class Burners {
    private let children: [ChildProcess]

    /// Starts them.
    ///
    /// - Parameters:
    ///   - executable: The `haven` program.
    ///   - count: How many.
    ///   - seconds: After this they end by themselves.
    /// - Throws: why one could not be started.
    init(executable: String, count: Int, seconds: Int) throws {
        children = try (0..<count).map { _ in
            try ChildProcess(Invocation(executable, ["lab", "burn", "--seconds", "\(seconds)"]))
        }
    }

    deinit { end() }

    /// Kills them.
    func end() {
        for child in children {
            child.signalGroup(9)
            _ = try? child.wait(until: Clock.monotonic() + .seconds(2)) { $0.exit != nil }
        }
    }

    /// Whether all of them still burn.
    var areBurning: Bool {
        children.allSatisfy {
            $0.progress()
            return $0.exit == nil
        }
    }
}

/// One burner: a process that computes nothing.
public enum Burner {
    /// Burns until then, or until whoever started it has gone.
    ///
    /// - Parameter seconds: How long.
    /// - Returns: A number, so that no compiler finds the work superfluous.
    public static func run(seconds: Int) -> UInt64 {
        let parent = getppid()
        let deadline = Clock.monotonic() + .seconds(seconds)
        var number: UInt64 = 88_172_645_463_325_252
        while Clock.monotonic() < deadline, getppid() == parent {
            for _ in 0..<portion {
                number ^= number << 13
                number ^= number >> 7
                number ^= number << 17
            }
        }
        return number
    }

    /// Well below a millisecond's work, between two looks at clock and parent.
    private static let portion = 100_000
}
