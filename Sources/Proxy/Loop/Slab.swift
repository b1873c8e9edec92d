import CLinux

/// All slots of a loop, at fixed addresses; memory that no connection has used costs nothing.
///
/// A slot that is given back in the middle of an event batch is reused only after it, so that a late event of the batch
/// finds a free slot and not somebody else's connection.
struct Slab {
    private let base: SlotPointer
    private let capacity: Int
    /// How many slots were ever used.
    private(set) var high = 0
    private(set) var used = 0
    private var free: SlotPointer?
    private var dead: SlotPointer?

    init?(capacity: Int) {
        guard let memory = haven_map_private(capacity * MemoryLayout<Slot>.stride) else { return nil }
        base = memory.bindMemory(to: Slot.self, capacity: capacity)
        self.capacity = capacity
    }

    func destroy() { haven_unmap(UnsafeMutableRawPointer(base), capacity * MemoryLayout<Slot>.stride) }

    /// A fresh slot; nil when all are in use.
    mutating func take() -> SlotPointer? {
        let slot: SlotPointer
        if let first = free {
            free = first.pointee.next
            slot = first
        } else {
            guard high < capacity else { return nil }
            slot = base + high
            high += 1
        }
        slot.initialize(to: Slot())
        used += 1
        return slot
    }

    /// Gives a slot back at the end of the batch.
    mutating func release(_ slot: SlotPointer) {
        slot.pointee.kind = .free
        slot.pointee.next = dead
        dead = slot
        used -= 1
    }

    /// The batch is over: what was released can be used again.
    mutating func recycle() {
        while let slot = dead {
            dead = slot.pointee.next
            slot.pointee.next = free
            free = slot
        }
    }

    /// Any slot ever used, free ones included.
    func slot(at index: Int) -> SlotPointer { base + index }
}
