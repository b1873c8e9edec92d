internal import CLinux
public import LinuxIO

/// The moment of starting: opens what the child gets, starts it, and keeps this side of the pipes.
struct Launch {
    let pid: Int32
    let pidDescriptor: Int32
    let inputPipe: Int32?
    let outputPipe: Int32?
    let errorPipe: Int32?
    let outputLimit: Int
    let errorLimit: Int

    /// Numbers below this are the child's; sources are moved above, so that no duplication overwrites another's source.
    private static let firstOwnNumber: Int32 = 64
    /// The most descriptors that can be passed on beside the three standard ones.
    static let mostPassed = Int(firstOwnNumber) - 3

    init(_ invocation: Invocation) throws(SystemError) {
        guard invocation.passed.count <= Self.mostPassed else {
            throw SystemError(call: "posix_spawn", subject: invocation.executable, code: EMFILE)
        }
        let input = try End(input: invocation.input)
        let output = try End(output: invocation.output)
        let errors = try End(output: invocation.errors)
        var numbers = [input.childNumber, output.childNumber, errors.childNumber]
        var copies: [Int32] = []
        defer { for copy in copies { _ = haven_close(copy) } }
        for source in invocation.passed {
            let copy = try Self.moveUp(source)
            copies.append(copy)
            numbers.append(copy)
        }
        pid = try Self.spawn(invocation, numbers)
        let opened = haven_pidfd_open(pid)
        guard opened >= 0 else {
            _ = haven_kill(-pid, SIGKILL)
            throw SystemError(call: "pidfd_open", subject: invocation.executable, code: Int32(-opened))
        }
        pidDescriptor = Int32(opened)
        outputLimit = invocation.output.limit
        errorLimit = invocation.errors.limit
        inputPipe = input.releaseOwn()
        outputPipe = output.releaseOwn()
        errorPipe = errors.releaseOwn()
    }

    static func moveUp(_ number: Int32) throws(SystemError) -> Int32 {
        Int32(try SystemError.check("fcntl") { haven_fcntl(number, F_DUPFD_CLOEXEC, firstOwnNumber) })
    }

    private static func spawn(_ invocation: Invocation, _ numbers: [Int32]) throws(SystemError) -> Int32 {
        var pid: pid_t = 0
        let words = [invocation.executable] + invocation.arguments
        let environment = invocation.environment?.map { "\($0.key)=\($0.value)" }.sorted()
        let result = withCStrings(words) { arguments in
            withCStrings(environment ?? []) { variables in
                withStrings(invocation.executable, invocation.directory) { path, directory in
                    withIdentity(invocation.identity) { identity in
                        numbers.withUnsafeBufferPointer { descriptors in
                            var request = haven_spawn_request(
                                path: path,
                                arguments: arguments,
                                environment: environment == nil ? nil : variables,
                                directory: directory,
                                descriptors: descriptors.baseAddress,
                                count: Int32(descriptors.count),
                                new_session: invocation.newSession ? 1 : 0,
                                identity: identity
                            )
                            return haven_spawn(&request, &pid)
                        }
                    }
                }
            }
        }
        guard result == 0 else {
            throw SystemError(call: "start", subject: invocation.executable, code: Int32(-result))
        }
        return pid
    }

    /// One standard descriptor: what the child gets, and this side of it if it is a pipe.
    private struct End: ~Copyable {
        private let child: Descriptor
        private var own: Descriptor?

        var childNumber: Int32 { child.number }

        init(input: Invocation.Input) throws(SystemError) {
            switch input {
            case .nothing: try self.init(opening: "/dev/null", O_RDONLY)
            case .descriptor(let number): self.init(child: try Launch.moveUp(number), own: nil)
            case .bytes: try self.init(childReads: true)
            }
        }

        init(output: Invocation.Output) throws(SystemError) {
            switch output {
            case .discard: try self.init(opening: "/dev/null", O_WRONLY)
            case .append(let path): try self.init(opening: path, O_WRONLY | O_CREAT | O_APPEND)
            case .descriptor(let number): self.init(child: try Launch.moveUp(number), own: nil)
            case .capture, .captureEnd: try self.init(childReads: false)
            }
        }

        private init(child: Int32, own: Int32?) {
            self.child = Descriptor(owning: child)
            self.own = own.map { Descriptor(owning: $0) }
        }

        private init(opening path: String, _ flags: Int32) throws(SystemError) {
            let file = try Descriptor.open(path, flags, mode: 0o600)
            self.init(child: try Launch.moveUp(file.number), own: nil)
        }

        private init(childReads: Bool) throws(SystemError) {
            var ends: [Int32] = [-1, -1]
            try SystemError.check("pipe") { haven_pipe(&ends, 0) }
            let reader = Descriptor(owning: ends[0])
            let writer = Descriptor(owning: ends[1])
            let child = try Launch.moveUp(childReads ? reader.number : writer.number)
            // Only this side must not block; the child may count on a plain pipe.
            if childReads {
                try writer.setNonBlocking()
                self.init(child: child, own: writer.release())
            } else {
                try reader.setNonBlocking()
                self.init(child: child, own: reader.release())
            }
        }

        consuming func releaseOwn() -> Int32? {
            own.take()?.release()
        }
    }
}

extension Invocation.Output {
    fileprivate var limit: Int {
        switch self {
        case .capture(let limit), .captureEnd(let limit): limit
        default: 0
        }
    }
}

extension Invocation {
    /// Becomes the program: same process, same standard descriptors, signals as they are; returns only by throwing.
    ///
    /// Of the description only the program, its words, environment and directory count.
    public func replaceThisProcess() throws(SystemError) -> Never {
        if let directory {
            try SystemError.check("chdir", directory) { chdir(directory) == 0 ? 0 : -Int(haven_errno()) }
        }
        let variables = environment?.map { "\($0.key)=\($0.value)" }.sorted()
        let result = withCStrings([executable] + arguments) { words in
            withCStrings(variables ?? []) { haven_execute(executable, words, variables == nil ? nil : $0) }
        }
        throw SystemError(call: "start", subject: executable, code: Int32(-result))
    }
}

/// Calls `body` with a null-terminated array of C strings that live as long as the call.
private func withCStrings<Result>(
    _ texts: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}

private func withStrings<Result>(
    _ text: String,
    _ other: String?,
    _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>?) -> Result
) -> Result {
    text.withCString { first in
        guard let other else { return body(first, nil) }
        return other.withCString { body(first, $0) }
    }
}

private func withIdentity<Result>(
    _ identity: UserIdentity?,
    _ body: (UnsafePointer<haven_identity>?) -> Result
) -> Result {
    guard let identity else { return body(nil) }
    return identity.groups.withUnsafeBufferPointer { groups in
        var raw = haven_identity(
            user: identity.user,
            group: identity.group,
            groups: groups.baseAddress,
            group_count: Int32(groups.count)
        )
        return withUnsafePointer(to: &raw) { body($0) }
    }
}
