import Foundation
import Store
import Testing

@Suite
struct StateDirectoryTests {
    @Test
    func `A small file is replaced as a whole and closed to others`() throws {
        let scratch = try ScratchDirectory()
        #expect(try scratch.state.read(.identity) == nil)
        try scratch.state.write([1, 2, 3], to: .identity)
        try scratch.state.write([4], to: .identity)
        #expect(try scratch.state.read(.identity) == [4])
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.state.path) == ["identity"])
    }

    @Test
    func `A secret that others may read is refused by name`() throws {
        let scratch = try ScratchDirectory()
        try scratch.state.write([1], to: .identity)
        let path = scratch.state.path(of: .identity)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: StoreError.exposed(path: path)) { try scratch.state.read(.identity) }
    }

    @Test
    func `Removing takes everything and may be repeated`() throws {
        let scratch = try ScratchDirectory()
        try scratch.state.write([1], to: .identity)
        _ = try DurableStore.create(in: scratch.state)
        _ = try EventHistory.open(in: scratch.state)
        try scratch.state.remove()
        try scratch.state.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.state.path) == [])
    }

    @Test
    func `The history keeps its newest events, bounded in number and length`() throws {
        let scratch = try ScratchDirectory()
        let history = try EventHistory.open(in: scratch.state)
        let extra = 25
        let count = StoreLimit.historyRows + extra
        try history.append((0..<count).map { (time: Int64($0), kind: "tick", text: "event \($0)") })
        try history.append([(time: 9, kind: "long", text: String(repeating: "x", count: StoreLimit.historyText * 2))])
        let all = try history.recent(limit: .max)
        #expect(all.count == StoreLimit.historyRows)
        #expect(all.first?.text == "event \(extra + 1)")
        #expect(all.last?.text.count == StoreLimit.historyText)
        let page = try history.recent(limit: 2, before: try #require(all.last).number)
        #expect(page.map(\.text) == ["event \(count - 2)", "event \(count - 1)"])
    }
}
