public import CLinux

/// A system call that failed: which, on what, and the kernel's reason.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, such as `bind`.
    public let call: String
    /// What it was made on (an address, a path), or empty.
    public let subject: String
    /// The error number, positive.
    public let code: Int32

    /// Records a failure.
    public init(call: String, subject: String = "", code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// The kernel's sentence for the number.
    public var reason: String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The text form.
    public var description: String { subject.isEmpty ? "\(call): \(reason)" : "\(call) \(subject): \(reason)" }

    /// Whether the call would have had to wait.
    public var wouldBlock: Bool { code == EAGAIN || code == EINPROGRESS }

    /// Throws for a negative result of a shim, except that EINTR makes it try again.
    @inlinable
    @discardableResult
    public static func check(
        _ call: StaticString,
        _ subject: @autoclosure () -> String = "",
        _ body: () -> Int
    ) throws(SystemError) -> Int {
        while true {
            let result = body()
            if result >= 0 { return result }
            if result != -Int(EINTR) {
                throw SystemError(call: "\(call)", subject: subject(), code: Int32(-result))
            }
        }
    }
}
