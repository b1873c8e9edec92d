import Foundation
import Store
import Testing

@Suite
struct DamageTests {
    /// A closed store with something in every table; closing moves all of it from the WAL into the file.
    private static func filled() throws -> ScratchDirectory {
        let scratch = try ScratchDirectory()
        let store = try DurableStore.create(in: scratch.state)
        var batch = DurableBatch()
        batch.vote = StoredVote(term: 5, votedFor: 2)
        batch.snapshot = StoredSnapshot(index: 3, term: 2, payload: [UInt8](repeating: 0xAB, count: 6000))
        batch.entries = entries(4...40, term: 5)
        batch.facts = ["name": Array("value".utf8)]
        var prefix = DurableBatch()
        prefix.entries = entries(1...3, term: 2)
        try store.write(prefix)
        try store.write(batch)
        _ = try store.beginIncarnation()
        return scratch
    }

    private static func open(_ scratch: ScratchDirectory) throws -> RecoveredState {
        try DurableStore.open(in: scratch.state).recover()
    }

    private static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? StoreError, case .damaged(let path, _) = error else { return false }
        return path.hasSuffix("/state.db") && error.description.contains("haven cluster join")
    }

    @Test
    func `Garbage in place of the file is named as damage, with the way to join again`() throws {
        let scratch = try Self.filled()
        try Data("this is no database, but long enough to be looked at".utf8)
            .write(to: URL(fileURLWithPath: scratch.state.path(of: .state)))
        #expect {
            try Self.open(scratch)
        } throws: {
            Self.isDamage($0)
        }
    }

    @Test(arguments: [0, 1, 100, 4095, 4096, 5000, 8192, 12_288])
    func `A file cut short is damaged, whatever is left of it`(count: Int) throws {
        let scratch = try Self.filled()
        let url = URL(fileURLWithPath: scratch.state.path(of: .state))
        let whole = try Data(contentsOf: url)
        #expect(whole.count > count)
        try whole.prefix(count).write(to: url)
        #expect {
            try Self.open(scratch)
        } throws: {
            Self.isDamage($0)
        }
    }

    @Test
    func `A flipped bit anywhere is either found or changes nothing`() throws {
        let scratch = try Self.filled()
        let before = try Self.open(scratch)
        let url = URL(fileURLWithPath: scratch.state.path(of: .state))
        let whole = try Data(contentsOf: url)
        var found = 0
        // Every 37th byte: some hundred places in headers, cell pointers, values and free space.
        for offset in stride(from: 0, to: whole.count, by: 37) {
            var damaged = whole
            damaged[offset] ^= 0x10
            try damaged.write(to: url)
            do {
                let state = try Self.open(scratch)
                #expect(state == before, "byte \(offset) changed what was read")
            } catch {
                found += 1
            }
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: url.path + suffix) }
        }
        #expect(found > 0)
    }
}
