internal import Foundation
internal import GRDB

/// Reading back: every value is checked, because a wrong one could elect two leaders.
extension Database {
    func recoverState(path: String) throws -> RecoveredState {
        try checkFormat(path: path)
        var state = RecoveredState()
        state.vote = try storedVote(path: path)
        state.incarnation = try storedIncarnation(path: path)
        state.snapshot = try storedSnapshot(path: path)
        state.entries = try storedEntries(after: state.snapshot?.index ?? 0, path: path)
        state.facts = try storedFacts(path: path)
        return state
    }

    func storedIncarnation(path: String) throws -> UInt64 {
        guard let row = try Row.fetchOne(self, sql: "SELECT value, checksum FROM incarnation WHERE id = 1") else {
            throw StoreError.damaged(path: path, detail: "no incarnation")
        }
        let value = try number(row["value"], path)
        try require(row["checksum"] == checksum([value]), path, "incarnation")
        return value
    }

    private func storedVote(path: String) throws -> StoredVote {
        guard let row = try Row.fetchOne(self, sql: "SELECT term, voted_for, checksum FROM vote WHERE id = 1") else {
            throw StoreError.damaged(path: path, detail: "no vote")
        }
        let raw: Int64? = row["voted_for"]
        let candidate = raw.flatMap { UInt8(exactly: $0) }
        try require((raw == nil) == (candidate == nil), path, "vote")
        let vote = StoredVote(term: try number(row["term"], path), votedFor: candidate)
        let sum = checksum([vote.term, candidate.map { UInt64($0) } ?? .max])
        try require(row["checksum"] == sum, path, "vote")
        return vote
    }

    private func storedSnapshot(path: String) throws -> StoredSnapshot? {
        let columns = "log_index, term, payload, checksum"
        guard let row = try Row.fetchOne(self, sql: "SELECT \(columns) FROM snapshot WHERE id = 1") else { return nil }
        let snapshot = StoredSnapshot(
            index: try number(row["log_index"], path),
            term: try number(row["term"], path),
            payload: [UInt8](row["payload"] as Data)
        )
        let sum = checksum([snapshot.index, snapshot.term], snapshot.payload)
        try require(row["checksum"] == sum, path, "snapshot")
        return snapshot
    }

    private func storedEntries(after base: UInt64, path: String) throws -> [StoredEntry] {
        var entries: [StoredEntry] = []
        let sql = "SELECT log_index, term, kind, payload, checksum FROM entry ORDER BY log_index"
        let rows = try Row.fetchCursor(self, sql: sql)
        while let row = try rows.next() {
            let index = try number(row["log_index"], path)
            let raw: Int64 = row["kind"]
            guard let kind = UInt8(exactly: raw) else {
                throw StoreError.damaged(path: path, detail: "kind of entry \(index)")
            }
            let entry = StoredEntry(
                index: index,
                term: try number(row["term"], path),
                kind: kind,
                payload: [UInt8](row["payload"] as Data)
            )
            let sum = checksum([entry.index, entry.term, UInt64(entry.kind)], entry.payload)
            try require(row["checksum"] == sum, path, "entry \(index)")
            try require(index == (entries.last?.index ?? base) + 1, path, "a gap before entry \(index)")
            entries.append(entry)
        }
        return entries
    }

    private func storedFacts(path: String) throws -> [String: [UInt8]] {
        var facts: [String: [UInt8]] = [:]
        let rows = try Row.fetchCursor(self, sql: "SELECT name, payload, checksum FROM fact")
        while let row = try rows.next() {
            let name: String = row["name"]
            let value = [UInt8](row["payload"] as Data)
            try require(row["checksum"] == checksum([], Array(name.utf8) + value), path, "fact \(name)")
            facts[name] = value
        }
        return facts
    }

    private func number(_ raw: Int64, _ path: String) throws -> UInt64 {
        guard let number = UInt64(exactly: raw) else {
            throw StoreError.damaged(path: path, detail: "a negative number")
        }
        return number
    }

    private func require(_ whole: Bool, _ path: String, _ what: String) throws {
        guard whole else { throw StoreError.damaged(path: path, detail: "wrong checksum or order: \(what)") }
    }
}
