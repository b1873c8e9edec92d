import HTTP1

/// Reads requests and responses from text, as tests like them.
enum HeadReading {
    static func request(_ text: String) -> (progress: HeadProgress, head: RequestHead) {
        request(Array(text.utf8))
    }

    static func request(_ bytes: [UInt8]) -> (progress: HeadProgress, head: RequestHead) {
        var head = RequestHead()
        let progress = head.read(bytes.span)
        return (progress, head)
    }

    static func response(
        _ text: String,
        to method: Method = .get,
        mayUpgrade: Bool = false
    ) -> (progress: HeadProgress, head: ResponseHead) {
        var head = ResponseHead()
        let bytes = Array(text.utf8)
        let progress = head.read(bytes.span, to: method, mayUpgrade: mayUpgrade)
        return (progress, head)
    }

    /// What a server would see of a request.
    static func forwarded(
        _ text: String,
        cookie: String = "",
        _ treatment: RequestCookie = .removed,
        address: String = ""
    ) -> String? {
        let bytes = Array(text.utf8)
        var head = RequestHead()
        guard case .complete = head.read(bytes.span) else { return nil }
        let name = Array(cookie.utf8)
        let client = Array(address.utf8)
        return written { writer in
            head.write(
                bytes.span,
                edits: RequestEdits(
                    cookie: name.span,
                    name.isEmpty ? .untouched : treatment,
                    forwardedFor: client.span
                ),
                into: &writer
            )
        }
    }

    /// What a client would see of a response.
    static func returned(
        _ text: String,
        to method: Method = .get,
        mayUpgrade: Bool = false,
        cookie: String = "",
        _ treatment: ResponseCookie = .removed,
        server: String = "",
        sets value: String = "",
        connection: ConnectionLine = .absent
    ) -> String? {
        let bytes = Array(text.utf8)
        var head = ResponseHead()
        guard case .complete = head.read(bytes.span, to: method, mayUpgrade: mayUpgrade) else { return nil }
        let name = Array(cookie.utf8)
        let set = Array(value.utf8)
        let own = Array(server.utf8)
        return written { writer in
            let edits = ResponseEdits(
                cookie: name.span,
                name.isEmpty ? .untouched : treatment,
                serverValue: own.span,
                addedCookie: set.span,
                marksPrivate: true,
                connection: connection
            )
            head.write(bytes.span, edits: edits, into: &writer)
        }
    }

    private static func written(_ body: (inout HeadWriter) -> Void) -> String? {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 32_768)
        defer { memory.deallocate() }
        var writer = HeadWriter(base: memory, capacity: 32_768)
        body(&writer)
        guard !writer.overflowed else { return nil }
        return String(decoding: UnsafeBufferPointer(start: memory, count: writer.count), as: UTF8.self)
    }
}
