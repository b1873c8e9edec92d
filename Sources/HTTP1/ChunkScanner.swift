/// Follows a chunked body through any number of reads, strictly (RFC 9112 §7.1), without touching it.
///
/// A plain value of a few bytes: it lives inside a connection's record.
public struct ChunkScanner: Sendable {
    private enum State: UInt8 {
        case size, sizeLF, data, dataCR, dataLF, extensions
        case trailerStart, trailerName, trailerValue, trailerLF, endLF
    }

    private var state = State.size
    private var digits: UInt8 = 0
    private var line: UInt16 = 0
    private var trailers: UInt16 = 0
    private var remaining: Int64 = 0

    /// What a scan found.
    public enum Progress: Equatable, Sendable {
        /// All bytes belong to the body and more follow.
        case more
        /// The body ends before this offset.
        case finished(end: Int)
        /// No chunked body.
        case malformed
    }

    /// At the start of a body.
    public init() {}

    /// Goes on with the next bytes of the body, which start at `start`.
    public mutating func scan(_ bytes: Span<UInt8>, from start: Int = 0) -> Progress {
        var at = start
        while at < bytes.count {
            if state == .data {
                let run = min(remaining, Int64(bytes.count - at))
                remaining -= run
                at += Int(run)
                if remaining == 0 { state = .dataCR }
                continue
            }
            let byte = bytes[at]
            at += 1
            if state == .endLF { return byte == Characters.lf ? .finished(end: at) : .malformed }
            guard step(byte) else { return .malformed }
        }
        return .more
    }

    private mutating func step(_ byte: UInt8) -> Bool {
        switch state {
        case .size: return size(byte)
        case .extensions: return extensionByte(byte)
        case .sizeLF:
            guard byte == Characters.lf else { return false }
            state = remaining == 0 ? .trailerStart : .data
            digits = 0
            line = 0
            return true
        case .dataCR: return expect(byte, Characters.cr, then: .dataLF)
        case .dataLF: return expect(byte, Characters.lf, then: .size)
        case .trailerStart, .trailerName, .trailerValue, .trailerLF: return trailer(byte)
        case .data, .endLF: return false
        }
    }

    private mutating func expect(_ byte: UInt8, _ wanted: UInt8, then next: State) -> Bool {
        state = next
        return byte == wanted
    }

    private mutating func size(_ byte: UInt8) -> Bool {
        let digit = Characters.hex(byte)
        if digit != 255 {
            // 15 digits are 2^60; no body is that long and nothing overflows.
            guard digits < 15 else { return false }
            remaining = (digits == 0 ? 0 : remaining) << 4 | Int64(digit)
            digits += 1
            return true
        }
        guard digits > 0 else { return false }
        if byte == Characters.cr {
            state = .sizeLF
            return true
        }
        state = .extensions
        return byte == UInt8(ascii: ";")
    }

    private mutating func extensionByte(_ byte: UInt8) -> Bool {
        if byte == Characters.cr {
            state = .sizeLF
            return true
        }
        line += 1
        return (byte >= 0x20 && byte != 0x7F || byte == Characters.tab) && Int(line) < HeadLimits.chunkLineBytes
    }

    private mutating func trailer(_ byte: UInt8) -> Bool {
        trailers += 1
        guard Int(trailers) < HeadLimits.trailerBytes else { return false }
        switch state {
        case .trailerStart:
            if byte == Characters.cr {
                state = .endLF
                return true
            }
            state = .trailerName
            return Characters.isToken(byte)
        case .trailerName:
            if byte == Characters.colon {
                state = .trailerValue
                return true
            }
            return Characters.isToken(byte)
        case .trailerValue:
            if byte == Characters.cr {
                state = .trailerLF
                return true
            }
            return byte >= 0x20 && byte != 0x7F || byte == Characters.tab
        default: return expect(byte, Characters.lf, then: .trailerStart)
        }
    }
}
