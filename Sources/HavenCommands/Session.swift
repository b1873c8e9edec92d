public import AdminAPI
public import ClusterConfig
public import ClusterModel

/// What commands reach the world through: the agent, the terminal and files.
///
/// Tests give others.
public struct Session {
    /// Sends a request to the agent of this node.
    public var send: (AdminRequest) throws(AdminClientError) -> AdminResponse
    /// Writes a text and a line end to standard output.
    public var print: (String) -> Void
    /// Writes a text and a line end to standard error.
    public var printError: (String) -> Void
    /// Reads a text file; `-` is standard input.
    public var readFile: (_ path: String) throws(CommandFailure) -> String
    /// Fetches a secret that is for `parameter`.
    public var readSecret: (_ parameter: String, SecretSource) throws(CommandFailure) -> Secret

    /// Joins all.
    public init(
        send: @escaping (AdminRequest) throws(AdminClientError) -> AdminResponse,
        print: @escaping (String) -> Void,
        printError: @escaping (String) -> Void,
        readFile: @escaping (_ path: String) throws(CommandFailure) -> String,
        readSecret: @escaping (_ parameter: String, SecretSource) throws(CommandFailure) -> Secret
    ) {
        self.send = send
        self.print = print
        self.printError = printError
        self.readFile = readFile
        self.readSecret = readSecret
    }

    /// The agent's answer; a reported failure is thrown.
    public func ask(_ request: AdminRequest) throws(CommandFailure) -> AdminResponse {
        let response: AdminResponse
        do throws(AdminClientError) {
            response = try send(request)
        } catch {
            throw CommandFailure(error)
        }
        if case .failed(let failure) = response { throw CommandFailure(failure) }
        return response
    }

    /// Has something carried out, and prints what the agent notes about it.
    public func carryOut(_ request: AdminRequest) throws(CommandFailure) {
        guard case .done(_, let notes) = try ask(request) else { throw Self.unexpected }
        for note in notes { print(note) }
    }

    /// Changes the configuration.
    public func edit(_ edit: ConfigurationEdit) throws(CommandFailure) {
        try carryOut(.edit(edit, expected: nil))
    }

    /// The status.
    public func status() throws(CommandFailure) -> StatusView {
        guard case .status(let view) = try ask(.status) else { throw Self.unexpected }
        return view
    }

    /// The configuration with its version; secrets are masked.
    public func configuration() throws(CommandFailure) -> (ClusterConfiguration, ConfigurationVersion) {
        guard case .configuration(let configuration, let version) = try ask(.configuration) else {
            throw Self.unexpected
        }
        return (configuration, version)
    }

    /// An answer to another question than was asked.
    public static var unexpected: CommandFailure {
        CommandFailure(.failed, "the agent answered another question; is it of the same version?")
    }

    /// Prints a part of an answer as JSON.
    func printJSON(_ value: some Encodable) throws(CommandFailure) {
        do {
            print(try AdminCodec.text(value))
        } catch {
            throw CommandFailure(.failed, "the answer cannot be written as JSON: \(error)")
        }
    }
}
