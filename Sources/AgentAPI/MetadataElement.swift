/// One element of an agent's metadata, with what is inside it.
public struct MetadataElement: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its attributes.
    public var attributes: [String: String]
    /// The elements inside it, in order.
    public var children: [MetadataElement]
    /// The text inside it, without that of its children, trimmed.
    public var text: String

    /// The first element of that name inside it.
    public func child(_ name: String) -> MetadataElement? { children.first { $0.name == name } }

    /// All elements of that name inside it.
    public func children(_ name: String) -> [MetadataElement] { children.filter { $0.name == name } }
}

/// Why text is not the metadata of an agent.
public struct MetadataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The byte at which reading stopped.
    public var offset: Int
    /// What was wrong there.
    public var reason: String

    /// States both.
    public init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    /// The text form.
    public var description: String { "metadata unreadable at byte \(offset): \(reason)" }
}

/// Reads the part of XML 1.0 that agents write.
///
/// That is: elements, attributes, text, character data, comments, the five named entities and character references. A document type is skipped, so nothing in it is ever expanded or fetched.
struct MetadataReader {
    /// The longest document; the largest agent in the field writes 60 kB.
    static let longest = 1 << 20
    /// How deep elements nest.
    static let deepest = 32
    /// How many elements a document holds.
    static let mostElements = 20_000

    private let bytes: [UInt8]
    private var position = 0
    private var elements = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The root element.
    ///
    /// Text before the first tag is skipped: some agents print warnings first.
    static func root(of bytes: [UInt8]) throws(MetadataError) -> MetadataElement {
        guard bytes.count <= longest else {
            throw MetadataError(offset: longest, reason: "longer than \(longest) bytes")
        }
        var reader = MetadataReader(bytes)
        while let byte = reader.peek(), byte != UInt8(ascii: "<") { reader.position += 1 }
        try reader.skipProlog()
        guard reader.peek() == UInt8(ascii: "<") else { throw reader.failure("no element") }
        return try reader.element(depth: 0)
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private func failure(_ reason: String) -> MetadataError { MetadataError(offset: position, reason: reason) }

    private func starts(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".utf8)
        return bytes[position...].starts(with: wanted)
    }

    /// Moves behind the next occurrence and returns where it began.
    private mutating func skip(past text: StaticString) throws(MetadataError) -> Int {
        let wanted = Array("\(text)".utf8)
        var index = position
        while index + wanted.count <= bytes.count {
            if bytes[index] == wanted[0], bytes[index..<index + wanted.count].elementsEqual(wanted) {
                position = index + wanted.count
                return index
            }
            index += 1
        }
        throw failure("no \"\(text)\"")
    }

    private mutating func skipSpace() {
        while let byte = peek(), Self.isSpace(byte) { position += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private mutating func skipProlog() throws(MetadataError) {
        while true {
            skipSpace()
            if starts("<?") {
                _ = try skip(past: "?>")
            } else if starts("<!--") {
                _ = try skip(past: "-->")
            } else if starts("<!") {
                try skipDocumentType()
            } else {
                return
            }
        }
    }

    /// Skips `<!DOCTYPE … [ … ] >`, whose brackets may hold `>` in quotes.
    private mutating func skipDocumentType() throws(MetadataError) {
        var nesting = 0
        var quote: UInt8?
        while let byte = peek() {
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
            case UInt8(ascii: "<"): nesting += 1
            case UInt8(ascii: ">"):
                nesting -= 1
                if nesting == 0 { return }
            default: break
            }
        }
        throw failure("document type without end")
    }

    private mutating func name() throws(MetadataError) -> String {
        let start = position
        while let byte = peek(), !Self.isSpace(byte), !Array("=/><\"'".utf8).contains(byte) { position += 1 }
        guard position > start else { throw failure("no name") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func element(depth: Int) throws(MetadataError) -> MetadataElement {
        elements += 1
        guard depth < Self.deepest else { throw failure("more than \(Self.deepest) elements inside each other") }
        guard elements <= Self.mostElements else { throw failure("more than \(Self.mostElements) elements") }
        position += 1
        var element = MetadataElement(name: try name(), attributes: [:], children: [], text: "")
        while true {
            skipSpace()
            if starts("/>") {
                position += 2
                return element
            }
            if peek() == UInt8(ascii: ">") {
                position += 1
                try content(of: &element, depth: depth)
                return element
            }
            let key = try name()
            skipSpace()
            guard peek() == UInt8(ascii: "=") else { throw failure("attribute \(key) without value") }
            position += 1
            skipSpace()
            element.attributes[key] = try quoted()
        }
    }

    private mutating func quoted() throws(MetadataError) -> String {
        guard let quote = peek(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw failure("value without quotes")
        }
        position += 1
        let start = position
        while let byte = peek(), byte != quote { position += 1 }
        guard peek() == quote else { throw failure("value without end") }
        defer { position += 1 }
        return try text(start..<position)
    }

    private mutating func content(of element: inout MetadataElement, depth: Int) throws(MetadataError) {
        var collected = ""
        while let byte = peek() {
            guard byte == UInt8(ascii: "<") else {
                let start = position
                while let next = peek(), next != UInt8(ascii: "<") { position += 1 }
                collected += try text(start..<position)
                continue
            }
            if starts("</") {
                position += 2
                let closed = try name()
                guard closed == element.name else { throw failure("</\(closed)> closes <\(element.name)>") }
                skipSpace()
                guard peek() == UInt8(ascii: ">") else { throw failure("</\(closed) without end") }
                position += 1
                element.text = Self.trimmed(collected)
                return
            }
            if starts("<!--") {
                _ = try skip(past: "-->")
            } else if starts("<![CDATA[") {
                position += 9
                let start = position
                let end = try skip(past: "]]>")
                collected += String(decoding: bytes[start..<end], as: UTF8.self)
            } else if starts("<?") {
                _ = try skip(past: "?>")
            } else {
                element.children.append(try self.element(depth: depth + 1))
            }
        }
        throw failure("<\(element.name)> without end")
    }

    private static func trimmed(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }

    /// Replaces references; one that is unknown stays as it is written, because agents do write a bare `&`.
    private func text(_ range: Range<Int>) throws(MetadataError) -> String {
        var result: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "&"),
                let end = bytes[index..<min(index + 12, range.upperBound)].firstIndex(of: UInt8(ascii: ";")),
                let replacement = Self.reference(bytes[index + 1..<end])
            else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result += replacement
            index = end + 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func reference(_ name: ArraySlice<UInt8>) -> [UInt8]? {
        let name = String(decoding: name, as: UTF8.self)
        switch name {
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "amp": return [UInt8(ascii: "&")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default: break
        }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
        guard let number, number != 0, let scalar = Unicode.Scalar(number) else { return nil }
        return Array(String(Character(scalar)).utf8)
    }
}
