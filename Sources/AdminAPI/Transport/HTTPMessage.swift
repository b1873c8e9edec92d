import FoundationEssentials

/// The little of HTTP/1.1 (RFC 9112) that this socket speaks, for both of its ends: one request a connection, bodies
/// with Content-Length.
struct HTTPMessage: Hashable {
    /// Request line or status line.
    var startLine: String
    /// Names in lower case.
    var headers: [String: String]
    var body: Data

    /// Why bytes are no message that is spoken here.
    enum Malformation: Error, Hashable {
        case headTooLong
        case bodyTooLong
        case notHTTP(String)
    }

    /// Gathers a message from pieces as they come.
    struct Reader {
        private var bytes: [UInt8] = []
        private var searched = 0
        private var head: (message: HTTPMessage, length: Int, bodyLength: Int)?
        /// Set once: the sender waits for `100 Continue` before it sends the body.
        private(set) var expectsContinue = false

        init() {}

        /// Adds what was read; the message once it is complete.
        mutating func append(_ piece: some Sequence<UInt8>) throws(Malformation) -> HTTPMessage? {
            bytes.append(contentsOf: piece)
            expectsContinue = false
            if head == nil { try readHead() }
            guard let head, bytes.count >= head.length + head.bodyLength else { return nil }
            var message = head.message
            message.body = Data(bytes[head.length..<(head.length + head.bodyLength)])
            return message
        }

        private mutating func readHead() throws(Malformation) {
            let end = Array("\r\n\r\n".utf8)
            while searched + end.count <= bytes.count {
                if Array(bytes[searched..<(searched + end.count)]) == end { break }
                searched += 1
            }
            guard searched + end.count <= bytes.count else {
                if bytes.count > AdminLimits.headBytes { throw .headTooLong }
                return
            }
            if searched > AdminLimits.headBytes { throw .headTooLong }
            let text = String(decoding: bytes[..<searched], as: UTF8.self)
            let message = try HTTPMessage(head: text)
            let bodyLength = try message.contentLength()
            head = (message, searched + end.count, bodyLength)
            expectsContinue = message.headers["expect"]?.lowercased() == "100-continue"
        }
    }

    private init(head: String) throws(Malformation) {
        // "\r\n" is one Character, so lines are cut as scalars.
        let lines = head.unicodeScalars.split(separator: "\n").map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
        guard let first = lines.first else { throw .notHTTP("the head is empty") }
        startLine = first
        headers = [:]
        body = Data()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw .notHTTP("a header has no name")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            let name = line[..<colon].lowercased()
            if headers.updateValue(String(value), forKey: name) != nil, name == "content-length" {
                throw .notHTTP("Content-Length is given twice")
            }
        }
    }

    private func contentLength() throws(Malformation) -> Int {
        if headers["transfer-encoding"] != nil { throw .notHTTP("Transfer-Encoding is not spoken here") }
        guard let text = headers["content-length"] else { return 0 }
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let length = Int(text) else {
            throw .notHTTP("Content-Length is no number")
        }
        if length > AdminLimits.bodyBytes { throw .bodyTooLong }
        return length
    }

    /// A request for the agent.
    static func request(body: Data) -> Data {
        let head = "POST /v1/request HTTP/1.1\r\nHost: haven\r\nContent-Type: application/json\r\n"
        return Data((head + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n").utf8) + body
    }

    /// A response of the agent.
    static func response(status: Int, body: Data) -> Data {
        let head = "HTTP/1.1 \(status) \(reason(status))\r\nContent-Type: application/json\r\n"
        return Data((head + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n").utf8) + body
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 409: "Conflict"
        case 422: "Unprocessable Content"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Internal Server Error"
        }
    }
}
