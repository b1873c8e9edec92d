/// Appends a head to memory that its caller lends; what does not fit is remembered, never written.
@safe
public struct HeadWriter {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    /// How many bytes were written.
    public private(set) var count = 0
    /// Whether something did not fit.
    public private(set) var overflowed = false

    /// Writes from `base` on.
    ///
    /// - Parameters:
    ///   - base: Memory that stays valid as long as the writer is used.
    ///   - capacity: How many bytes of it there are.
    @unsafe
    public init(base: UnsafeMutablePointer<UInt8>, capacity: Int) {
        unsafe self.base = base
        self.capacity = capacity
    }

    /// Reserves room for `length` bytes.
    @inline(__always)
    private mutating func room(_ length: Int) -> Bool {
        if length > capacity - count { overflowed = true }
        return !overflowed
    }

    /// Appends `bytes[range]`.
    public mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        guard !range.isEmpty, room(range.count) else { return }
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + count).update(from: start + range.lowerBound, count: range.count)
        }
        count += range.count
    }

    /// Appends all of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) { append(bytes, 0..<bytes.count) }

    /// Appends fixed text.
    public mutating func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        guard room(length) else { return }
        unsafe (base + count).update(from: text.utf8Start, count: length)
        count += length
    }

    /// Appends one byte.
    public mutating func append(_ byte: UInt8) {
        guard room(1) else { return }
        unsafe base[count] = byte
        count += 1
    }

    /// Appends a number in decimal; not negative.
    public mutating func append(decimal value: Int64) {
        var digits: [20 of UInt8] = .init(repeating: 0)
        var at = 20
        var rest = value
        repeat {
            at -= 1
            digits[at] = 0x30 + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span, at..<20)
    }
}
