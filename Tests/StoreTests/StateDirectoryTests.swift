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
        try scratch.state.remove()
        try scratch.state.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.state.path) == [])
    }
}
