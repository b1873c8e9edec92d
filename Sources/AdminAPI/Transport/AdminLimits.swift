/// What the socket of the agent allows.
public enum AdminLimits {
    /// Where agents listen unless told otherwise.
    public static let socketPath = "/run/haven/agent.sock"
    /// The group whose members may use the socket, where it exists.
    public static let group = "haven"
    /// Bytes of a request's or response's head.
    static let headBytes = 16_384
    /// Bytes of a body: the largest configuration that the limits of the model allow, with room to spare.
    static let bodyBytes = 32 * 1024 * 1024
    /// Connections at once; further ones are told so and closed.
    static let connections = 64
    /// How long a request or a response may take to pass the socket.
    static let transfer: Duration = .seconds(10)
    /// How long carrying out a request may take; above the longest `stonith-timeout`.
    static let handling: Duration = .seconds(660)
}
