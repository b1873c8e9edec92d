internal import GRDB

/// Opens SQLite files the way this product needs them and turns their failures into `StoreError`.
enum StateDatabase {
    /// Bytes that the write-ahead log keeps once it was copied into the file.
    private static let walLimit = 8 << 20

    static func open(_ path: String) throws(StoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .immediateError
        configuration.label = path
        configuration.prepareDatabase { database in
            // Exclusive: no second agent, and no shared-memory file, whose pages would raise SIGBUS on a full disk.
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA cell_size_check = ON")
            // One large snapshot must not keep its room in the log for ever.
            try database.execute(sql: "PRAGMA journal_size_limit = \(walLimit)")
        }
        return try translating(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            // Takes the lock now rather than at the first write.
            try queue.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE; COMMIT") }
            return queue
        }
    }

    /// Throws `damaged` unless SQLite finds its own structures whole.
    static func check(_ queue: DatabaseQueue, path: String) throws(StoreError) {
        let verdict = try translating(path) {
            try queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
        }
        if verdict == "ok" { return }
        // SQLite writes a heading and a finding on lines of their own; an error is one line.
        let lines = (verdict ?? "no verdict").split(separator: "\n")
        throw .damaged(path: path, detail: lines.joined(separator: " "))
    }

    static func translating<Result>(_ path: String, _ body: () throws -> Result) throws(StoreError) -> Result {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            let detail = error.message ?? "\(error.resultCode)"
            switch error.resultCode {
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_SCHEMA, .SQLITE_MISMATCH:
                throw .damaged(path: path, detail: detail)
            case .SQLITE_FULL: throw .diskFull(path: path)
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw .inUse(path: path)
            default: throw .failed(path: path, detail: detail)
            }
        } catch {
            throw .failed(path: path, detail: "\(error)")
        }
    }
}
