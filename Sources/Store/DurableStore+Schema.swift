internal import Bytes
internal import Foundation
internal import GRDB

/// A number as SQLite holds it.
func checked(_ number: UInt64) throws(StoreError) -> Int64 {
    // One below the largest, so that adding one is safe.
    guard number < UInt64(Int64.max) else { throw .invalid(detail: "\(number) is above 2^63") }
    return Int64(number)
}

/// Finds damage that SQLite's own check does not see, such as a flipped bit inside a value.
func checksum(_ numbers: [UInt64], _ payload: [UInt8] = []) -> Int64 {
    var writer = ByteWriter(capacity: numbers.count * 8)
    for number in numbers { writer.write(number) }
    return Int64(CRC32C.checksum(payload, seed: CRC32C.checksum(writer.bytes)))
}

extension Database {
    /// The layout's version; a store with another one is not read.
    private static let format = 1

    func executeSchema() throws -> TransactionCompletion {
        try execute(
            sql: """
                CREATE TABLE vote (id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL, voted_for INTEGER,
                    checksum INTEGER NOT NULL) STRICT;
                CREATE TABLE incarnation (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL,
                    checksum INTEGER NOT NULL) STRICT;
                CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), log_index INTEGER NOT NULL,
                    term INTEGER NOT NULL, payload BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
                CREATE TABLE entry (log_index INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL,
                    payload BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
                CREATE TABLE fact (name TEXT PRIMARY KEY, payload BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
                PRAGMA user_version = \(Self.format);
                """
        )
        try execute(sql: "INSERT INTO incarnation VALUES (1, 0, ?)", arguments: [checksum([0])])
        try replaceVote(StoredVote(term: 0, votedFor: nil))
        return .commit
    }

    func replaceVote(_ vote: StoredVote) throws {
        let sum = checksum([vote.term, vote.votedFor.map { UInt64($0) } ?? .max])
        try cachedStatement(sql: "INSERT OR REPLACE INTO vote VALUES (1, ?, ?, ?)")
            .execute(arguments: [checked(vote.term), vote.votedFor.map { Int($0) }, sum])
    }

    func replaceSnapshot(_ snapshot: StoredSnapshot) throws {
        guard snapshot.payload.count <= StoreLimit.snapshotBytes else {
            throw StoreError.invalid(detail: "a snapshot of \(snapshot.payload.count) bytes")
        }
        let sum = checksum([snapshot.index, snapshot.term], snapshot.payload)
        try cachedStatement(sql: "INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?, ?)")
            .execute(
                arguments: [checked(snapshot.index), checked(snapshot.term), Data(snapshot.payload), sum]
            )
        try cachedStatement(sql: "DELETE FROM entry WHERE log_index <= ?").execute(arguments: [checked(snapshot.index)])
    }

    func truncate(from index: UInt64) throws {
        let first = try checked(index)
        let kept = try Int64.fetchOne(self, sql: "SELECT log_index FROM snapshot") ?? 0
        guard first > kept else {
            throw StoreError.invalid(detail: "truncation from \(index), which the snapshot holds")
        }
        try cachedStatement(sql: "DELETE FROM entry WHERE log_index >= ?").execute(arguments: [first])
    }

    func append(_ entries: [StoredEntry]) throws {
        let last = try Int64.fetchOne(
            self,
            sql: "SELECT max(coalesce((SELECT max(log_index) FROM entry), 0), "
                + "coalesce((SELECT log_index FROM snapshot), 0))"
        )
        var expected = (last ?? 0) + 1
        let insert = try cachedStatement(sql: "INSERT INTO entry VALUES (?, ?, ?, ?, ?)")
        for entry in entries {
            guard try checked(entry.index) == expected else {
                throw StoreError.invalid(detail: "entry \(entry.index) where \(expected) was due")
            }
            guard entry.payload.count <= StoreLimit.entryBytes else {
                throw StoreError.invalid(detail: "an entry of \(entry.payload.count) bytes")
            }
            let sum = checksum([entry.index, entry.term, UInt64(entry.kind)], entry.payload)
            try insert.execute(
                arguments: [expected, checked(entry.term), Int(entry.kind), Data(entry.payload), sum]
            )
            expected += 1
        }
    }

    func replaceFact(_ name: String, _ value: [UInt8]?) throws {
        guard let value else {
            try execute(sql: "DELETE FROM fact WHERE name = ?", arguments: [name])
            return
        }
        guard value.count <= StoreLimit.factBytes else {
            throw StoreError.invalid(detail: "the fact \(name) has \(value.count) bytes")
        }
        try execute(
            sql: "INSERT OR REPLACE INTO fact VALUES (?, ?, ?)",
            arguments: [name, Data(value), checksum([], Array(name.utf8) + value)]
        )
        let count = try Int.fetchOne(self, sql: "SELECT count(*) FROM fact") ?? 0
        guard count <= StoreLimit.facts else { throw StoreError.invalid(detail: "more than \(StoreLimit.facts) facts") }
    }

    func checkFormat(path: String) throws {
        let format = try Int.fetchOne(self, sql: "PRAGMA user_version") ?? 0
        guard format == Self.format else {
            throw StoreError.damaged(path: path, detail: "format \(format), expected \(Self.format)")
        }
    }
}
