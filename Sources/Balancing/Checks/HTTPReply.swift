/// An answer to an HTTP check, as far as it has come.
///
/// Read more leniently than clients' traffic: nothing of it is passed on, and scripts that answer checks end their lines
/// as they like.
struct HTTPReply {
    /// How far the head has come.
    enum Progress: Equatable {
        /// The status line is not whole.
        case incomplete
        /// It is none of HTTP/1.x.
        case invalid
        /// The status is known.
        case status(Int)
    }

    /// The status code of `HTTP/1.x nnn`, once it is there.
    static func status(_ bytes: ArraySlice<UInt8>) -> Progress {
        let start = Array("HTTP/1.".utf8)
        guard bytes.prefix(start.count).elementsEqual(start.prefix(bytes.count)) else { return .invalid }
        guard bytes.count >= 13 else {
            // A line that ends before its status code is none, and a code may end the input.
            return bytes.contains(0x0A) ? .invalid : .incomplete
        }
        let line = Array(bytes.prefix(13))
        guard line[8] == 0x20, [0x20, 0x0D, 0x0A].contains(line[12]) else { return .invalid }
        let digits = line[9..<12]
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return .invalid }
        return .status(digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }

    /// The body, once all of it has come or nothing more will; nil before.
    ///
    /// - Parameters:
    ///   - bytes: The whole answer so far.
    ///   - isEnd: Whether nothing more comes, or nothing more is looked at.
    ///   - hasNoBody: Whether the request was HEAD.
    /// - Returns: What comes behind the head, out of its chunks.
    static func body(_ bytes: [UInt8], isEnd: Bool, hasNoBody: Bool) -> [UInt8]? {
        guard let start = bodyStart(bytes) else { return isEnd ? [] : nil }
        if hasNoBody { return [] }
        let lines = bytes[..<start].split(separator: 0x0A).map { line in
            String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self).lowercased()
        }
        func value(_ name: String) -> Substring? {
            let line = lines.first { $0.hasPrefix(name + ":") }
            return line.map { $0.dropFirst(name.count + 1).drop { $0 == " " || $0 == "\t" } }
        }
        let rest = bytes[start...]
        if value("transfer-encoding")?.hasPrefix("chunked") == true { return dechunked(rest, isEnd: isEnd) }
        if let length = value("content-length").flatMap({ Int($0.prefix { $0.isNumber }) }) {
            return rest.count >= length ? Array(rest.prefix(length)) : isEnd ? Array(rest) : nil
        }
        return isEnd ? Array(rest) : nil
    }

    /// Where the body begins: behind the first empty line.
    private static func bodyStart(_ bytes: [UInt8]) -> Int? {
        var lineStart = 0
        for (index, byte) in bytes.enumerated() where byte == 0x0A {
            let line = bytes[lineStart..<index]
            if line.isEmpty || line.elementsEqual([0x0D]) { return index + 1 }
            lineStart = index + 1
        }
        return nil
    }

    /// What chunks carry; nil while the last one is missing.
    private static func dechunked(_ bytes: ArraySlice<UInt8>, isEnd: Bool) -> [UInt8]? {
        var body: [UInt8] = []
        var rest = bytes
        while let end = rest.firstIndex(of: 0x0A) {
            let digits = rest[..<end].prefix { (0x30...0x39).contains($0) || (0x41...0x46).contains($0 & 0xDF) }
            let size = Int(String(decoding: digits.prefix(8), as: UTF8.self), radix: 16)
            rest = rest[(end + 1)...]
            // A line that is no size ends what can be read.
            guard let size, size > 0 else { return body }
            body += rest.prefix(size)
            guard rest.count >= size else { break }
            rest = rest.dropFirst(size)
            if rest.first == 0x0D { rest = rest.dropFirst() }
            if rest.first == 0x0A { rest = rest.dropFirst() }
        }
        return isEnd ? body : nil
    }
}
