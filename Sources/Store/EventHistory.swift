internal import GRDB

/// One thing that happened.
public struct HistoryEvent: Hashable, Sendable {
    /// Rises by one with every event of this node, also over restarts.
    public var number: Int64
    /// Milliseconds since 1970.
    public var time: Int64
    /// A short word, such as `fence` or `lease`.
    public var kind: String
    /// One line for operators.
    public var text: String
}

/// What happened on this node, the newest `StoreLimit.historyRows` events of it.
///
/// It is for reading only: nothing decides by it. So it lives in its own file, its last seconds may be lost with the
/// machine, and a damaged file is set aside and begun anew.
public final class EventHistory: Sendable {
    private let path: String
    private let queue: DatabaseQueue

    private init(path: String, queue: DatabaseQueue) {
        self.path = path
        self.queue = queue
    }

    /// Opens the history, or begins one.
    public static func open(in directory: StateDirectory) throws(StoreError) -> EventHistory {
        do throws(StoreError) {
            return try begin(in: directory)
        } catch {
            guard case .damaged = error else { throw error }
            try directory.setAside(.history)
            return try begin(in: directory)
        }
    }

    private static func begin(in directory: StateDirectory) throws(StoreError) -> EventHistory {
        let path = directory.path(of: .history)
        if try !directory.contains(.history) { try directory.makeEmptyFile(.history) }
        let queue = try StateDatabase.open(path, durability: .lazy)
        try StateDatabase.check(queue, path: path)
        try StateDatabase.translating(path) {
            try queue.write {
                try $0.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY AUTOINCREMENT,
                            time INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL) STRICT
                        """
                )
            }
        }
        return EventHistory(path: path, queue: queue)
    }

    /// Adds events in one transaction; `number` is given by the history.
    public func append(_ events: [(time: Int64, kind: String, text: String)]) throws(StoreError) {
        if events.isEmpty { return }
        try StateDatabase.translating(path) {
            try queue.write { database in
                let insert = try database.cachedStatement(sql: "INSERT INTO event (time, kind, text) VALUES (?, ?, ?)")
                for event in events {
                    let text = String(event.text.prefix(StoreLimit.historyText))
                    try insert.execute(arguments: [event.time, event.kind, text])
                }
                try database.cachedStatement(
                    sql: "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?"
                ).execute(arguments: [StoreLimit.historyRows])
            }
        }
    }

    /// The newest events, oldest first; `before` pages back from an earlier answer's first number.
    public func recent(limit: Int, before: Int64 = .max) throws(StoreError) -> [HistoryEvent] {
        try StateDatabase.translating(path) {
            try queue.read { database in
                let rows = try Row.fetchAll(
                    database,
                    sql: "SELECT number, time, kind, text FROM event WHERE number < ? ORDER BY number DESC LIMIT ?",
                    arguments: [before, max(0, min(limit, StoreLimit.historyRows))]
                )
                return rows.reversed().map {
                    HistoryEvent(number: $0["number"], time: $0["time"], kind: $0["kind"], text: $0["text"])
                }
            }
        }
    }
}
