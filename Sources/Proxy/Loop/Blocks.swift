/// Memory blocks of two sizes with free lists, so that buffers cost no call of the allocator; larger ones are rare.
struct Blocks {
    private static let smallBytes = 2048
    private static let largeBytes = 20_480
    private static let keptSmall = 1024
    private static let keptLarge = 64

    private var small: UnsafeMutableRawPointer?
    private var large: UnsafeMutableRawPointer?
    private var smallCount = 0
    private var largeCount = 0

    /// A buffer with room for at least `count` bytes.
    mutating func take(_ count: Int) -> Buffer {
        if count <= Self.smallBytes { return Self.take(&small, &smallCount, Self.smallBytes) }
        if count <= Self.largeBytes { return Self.take(&large, &largeCount, Self.largeBytes) }
        return Buffer(base: .allocate(capacity: count), capacity: Int32(count))
    }

    /// Gives a buffer's memory back and empties it.
    mutating func release(_ buffer: inout Buffer) {
        guard let base = buffer.base else { return }
        switch Int(buffer.capacity) {
        case Self.smallBytes where smallCount < Self.keptSmall: Self.put(base, &small, &smallCount)
        case Self.largeBytes where largeCount < Self.keptLarge: Self.put(base, &large, &largeCount)
        default: base.deallocate()
        }
        buffer = Buffer()
    }

    mutating func destroy() {
        for list in [small, large] {
            var block = list
            while let current = block {
                block = current.load(as: UnsafeMutableRawPointer?.self)
                current.deallocate()
            }
        }
        small = nil
        large = nil
    }

    // A free block holds the address of the next one in its first bytes.
    private static func take(_ list: inout UnsafeMutableRawPointer?, _ count: inout Int, _ bytes: Int) -> Buffer {
        guard let block = list else {
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
            return Buffer(base: fresh.bindMemory(to: UInt8.self, capacity: bytes), capacity: Int32(bytes))
        }
        list = block.load(as: UnsafeMutableRawPointer?.self)
        count -= 1
        return Buffer(base: block.assumingMemoryBound(to: UInt8.self), capacity: Int32(bytes))
    }

    private static func put(
        _ base: UnsafeMutablePointer<UInt8>,
        _ list: inout UnsafeMutableRawPointer?,
        _ count: inout Int
    ) {
        let block = UnsafeMutableRawPointer(base)
        block.storeBytes(of: list, as: UnsafeMutableRawPointer?.self)
        list = block
        count += 1
    }
}
