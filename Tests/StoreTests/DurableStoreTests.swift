import Foundation
import Store
import Testing

/// A directory that goes with the value.
final class ScratchDirectory {
    let state: StateDirectory

    init() throws {
        state = StateDirectory(path: "/tmp/haven-store-\(UUID().uuidString)")
        try state.create()
    }

    deinit { try? FileManager.default.removeItem(atPath: state.path) }
}

func entries(_ indices: ClosedRange<UInt64>, term: UInt64 = 1) -> [StoredEntry] {
    indices.map { StoredEntry(index: $0, term: term, kind: 3, payload: Array("entry \($0)".utf8)) }
}

@Suite
struct DurableStoreTests {
    private static func reopen(_ scratch: ScratchDirectory) throws -> RecoveredState {
        try DurableStore.open(in: scratch.state).recover()
    }

    private static func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test
    func `A fresh store holds nothing, and its files are closed to others`() throws {
        let scratch = try ScratchDirectory()
        try {
            let store = try DurableStore.create(in: scratch.state)
            #expect(try store.recover() == RecoveredState())
            #expect(try Self.mode(scratch.state.path) == 0o700)
            for name in try FileManager.default.contentsOfDirectory(atPath: scratch.state.path) {
                #expect(try Self.mode("\(scratch.state.path)/\(name)") == 0o600, "\(name)")
            }
        }()
        #expect(try Self.reopen(scratch) == RecoveredState())
    }

    @Test
    func `Vote, log, snapshot and facts come back after a restart`() throws {
        let scratch = try ScratchDirectory()
        var batch = DurableBatch()
        batch.vote = StoredVote(term: 7, votedFor: 3)
        batch.entries = entries(1...10)
        batch.facts = ["committed-configuration": [1, 2], "gone": [3]]
        var second = DurableBatch()
        second.snapshot = StoredSnapshot(index: 4, term: 1, payload: [9, 9])
        second.truncateFrom = 8
        second.entries = entries(8...9, term: 2)
        second.facts = ["gone": nil]
        try {
            let store = try DurableStore.create(in: scratch.state)
            try store.write(batch)
            try store.write(second)
        }()
        let state = try Self.reopen(scratch)
        #expect(state.vote == StoredVote(term: 7, votedFor: 3))
        #expect(state.snapshot == second.snapshot)
        #expect(state.entries == entries(5...7) + entries(8...9, term: 2))
        #expect(state.facts == ["committed-configuration": [1, 2]])
        #expect(state.lastIndex == 9)
    }

    @Test
    func `A snapshot ahead of the log replaces all of it and the log goes on behind it`() throws {
        let scratch = try ScratchDirectory()
        try {
            let store = try DurableStore.create(in: scratch.state)
            var batch = DurableBatch()
            batch.entries = entries(1...3)
            try store.write(batch)
            batch = DurableBatch()
            batch.snapshot = StoredSnapshot(index: 50, term: 4, payload: [])
            batch.entries = entries(51...51, term: 4)
            try store.write(batch)
        }()
        let state = try Self.reopen(scratch)
        #expect(state.entries == entries(51...51, term: 4))
        #expect(state.snapshot?.index == 50)
    }

    @Test
    func `The incarnation rises with every start, above any floor`() throws {
        let scratch = try ScratchDirectory()
        try {
            let store = try DurableStore.create(in: scratch.state)
            #expect(try store.beginIncarnation() == 1)
        }()
        try {
            let store = try DurableStore.open(in: scratch.state)
            #expect(try store.beginIncarnation() == 2)
            #expect(try store.beginIncarnation(above: 40) == 41)
        }()
        #expect(try Self.reopen(scratch).incarnation == 41)
    }

    @Test
    func `A gap, a repeated entry or a cut into the snapshot is refused, and nothing of that batch is kept`() throws {
        let scratch = try ScratchDirectory()
        let store = try DurableStore.create(in: scratch.state)
        var good = DurableBatch()
        good.snapshot = StoredSnapshot(index: 2, term: 1, payload: [1])
        good.entries = entries(3...4)
        try store.write(good)
        for wrong in [entries(6...6), entries(4...4), entries(2...2)] {
            var batch = DurableBatch()
            batch.vote = StoredVote(term: 99, votedFor: nil)
            batch.entries = wrong
            #expect(throws: StoreError.self) { try store.write(batch) }
        }
        var cut = DurableBatch()
        cut.vote = StoredVote(term: 99, votedFor: nil)
        cut.truncateFrom = 2
        #expect(throws: StoreError.self) { try store.write(cut) }
        var huge = DurableBatch()
        huge.vote = StoredVote(term: .max, votedFor: nil)
        #expect(throws: StoreError.self) { try store.write(huge) }
        let state = try store.recover()
        #expect(state.vote.term == 0)
        #expect(state.lastIndex == 4)
        // Refusals are the caller's fault, not the disk's: the store works on.
        var next = DurableBatch()
        next.entries = entries(5...5)
        try store.write(next)
        #expect(try store.recover().lastIndex == 5)
    }

    @Test
    func `A second store is refused while one is open`() throws {
        let scratch = try ScratchDirectory()
        let store = try DurableStore.create(in: scratch.state)
        #expect(throws: StoreError.inUse(path: store.path)) { _ = try DurableStore.open(in: scratch.state) }
        #expect(try store.recover() == RecoveredState())
    }

    @Test
    func `A store that is gone is missing, never begun anew by opening`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.state.path(of: .state)
        #expect(throws: StoreError.missing(path: path)) { _ = try DurableStore.open(in: scratch.state) }
        _ = try DurableStore.create(in: scratch.state)
        #expect(throws: StoreError.self) { _ = try DurableStore.create(in: scratch.state) }
    }
}
