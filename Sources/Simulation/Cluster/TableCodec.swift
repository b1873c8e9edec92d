import ClusterModel
import NodeCore
import Synchronization

/// A codec that keeps values in a table and writes their places: the simulation needs no text format.
///
/// Places are given out in the order of encoding, so a run repeats exactly.
final class ValueTable: Sendable {
    private struct Values: Sendable {
        var commands: [Command] = []
        var states: [ClusterState] = []
    }

    private let values = Mutex(Values())

    /// The codec over this table; values of another run cannot be read.
    var codec: CommandCodec {
        CommandCodec(
            encodeCommand: { command in
                Self.bytes(
                    self.values.withLock {
                        $0.commands.append(command)
                        return $0.commands.count - 1
                    }
                )
            },
            decodeCommand: { self.command($0) },
            encodeState: { state in
                Self.bytes(
                    self.values.withLock {
                        $0.states.append(state)
                        return $0.states.count - 1
                    }
                )
            },
            decodeState: { bytes in
                guard let place = Self.place(bytes) else { return nil }
                return self.values.withLock { $0.states.indices.contains(place) ? $0.states[place] : nil }
            },
            digest: { $0.version }
        )
    }

    /// The command behind an entry's bytes.
    func command(_ bytes: [UInt8]) -> Command? {
        guard let place = Self.place(bytes) else { return nil }
        return values.withLock { $0.commands.indices.contains(place) ? $0.commands[place] : nil }
    }

    /// Four times the place, so that a snapshot travels in several parts and a damaged one shows.
    private static func bytes(_ place: Int) -> [UInt8] {
        let once = (0..<8).map { UInt8(truncatingIfNeeded: place >> (8 * $0)) }
        return once + once + once + once
    }

    private static func place(_ bytes: [UInt8]) -> Int? {
        guard bytes.count == 32 else { return nil }
        let places = stride(from: 0, to: 32, by: 8).map { start in
            bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        return places.allSatisfy { $0 == places[0] } ? places[0] : nil
    }
}
