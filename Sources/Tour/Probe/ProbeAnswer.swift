/// An HTTP answer as far as the prober understands it: status, cookie, and a body that says who answered to what.
struct ProbeAnswer: Equatable {
    var status: Int
    var cookie: String?
    /// The first word of the body.
    var host: String
    /// The second word of the body: the attempt's own number, so that an answer to another one is found out.
    var number: String

    /// What the bytes hold so far.
    enum Reading: Equatable {
        /// More must come.
        case incomplete
        /// All is there.
        case complete(ProbeAnswer)
        /// This is no HTTP answer.
        case garbage
    }

    /// More than this is no answer of ours.
    static let longest = 16_384

    /// Reads an answer with Content-Length.
    static func read(_ bytes: [UInt8], cookieName: String) -> Reading {
        guard bytes.count <= longest else { return .garbage }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return .incomplete }
        let lines = text[..<end.lowerBound].split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return .garbage }
        var length = 0
        var cookie: String?
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return .garbage }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "content-length":
                guard let number = Int(value) else { return .garbage }
                length = number
            case "set-cookie" where value.hasPrefix(cookieName + "="):
                cookie = String(value.dropFirst(cookieName.count + 1).prefix { $0 != ";" })
            default: break
            }
        }
        let body = text[end.upperBound...]
        guard body.utf8.count >= length else { return .incomplete }
        let parts = body.split(whereSeparator: \.isWhitespace).map(String.init)
        return .complete(
            ProbeAnswer(
                status: status,
                cookie: cookie,
                host: parts.first ?? "",
                number: parts.count > 1 ? parts[1] : ""
            )
        )
    }
}
