public import ClusterModel

/// What is asked of a server.
public enum CheckRecipe: Hashable, Sendable {
    /// Whether it accepts connections.
    case connect
    /// An HTTP request.
    case http(HTTPCheck)
    /// A service's own protocol.
    case service(ServiceCheck)
    /// How it is, asked of the program beside it.
    case agent

    /// What a listener asks of its servers.
    public init(_ listener: Listener) {
        if let check = listener.httpCheck {
            self = .http(check)
        } else if let service = listener.serviceCheck {
            self = .service(service)
        } else {
            self = .connect
        }
    }
}

/// What happens on a check's connection.
public enum CheckEvent {
    /// It stands; again after another `connect`.
    case connected
    /// All that was to be sent is with the kernel.
    case sent
    /// Bytes came.
    case received(ArraySlice<UInt8>)
    /// The server closed it.
    case closed
}

/// What a check does next.
public enum CheckStep: Hashable, Sendable {
    /// Waits for bytes, or for the end of time.
    case wait
    /// Sends these bytes, at least one.
    case send([UInt8])
    /// Connects anew, to another port where one is given.
    case connect(port: UInt16?)
    /// Is over; `farewell` is sent if the kernel takes it, so that the service does not count a broken session.
    case end(CheckVerdict, farewell: [UInt8])

    static func end(_ verdict: CheckVerdict) -> CheckStep { .end(verdict, farewell: []) }
}

/// The conversation of one check, without its socket: what is said, and what an answer means.
public struct CheckConversation: Sendable {
    private enum Kind: Sendable {
        case connect
        case http(HTTPConversation)
        case script(ScriptConversation)
        case redis(RedisConversation)
        case mysql(MySQLConversation)
        case postgres(PostgresConversation)
        case agent(AgentConversation)
    }

    private var kind: Kind

    /// Prepares one.
    public init(_ recipe: CheckRecipe) {
        switch recipe {
        case .connect: kind = .connect
        case .http(let check): kind = .http(HTTPConversation(check))
        case .service(.script(let rules)): kind = .script(ScriptConversation(rules))
        case .service(.redis(let isMaster)): kind = .redis(RedisConversation(isMaster: isMaster))
        case .service(.mysql(let user)): kind = .mysql(MySQLConversation(user: user))
        case .service(.postgres(let user)): kind = .postgres(PostgresConversation(user: user))
        case .agent: kind = .agent(AgentConversation())
        }
    }

    /// The first port, where it is not the server's or the check's.
    public var firstPort: UInt16? {
        if case .script(let script) = kind { return script.firstPort }
        return nil
    }

    /// Whether a connection proves all there is to prove.
    public var isConnectAlone: Bool {
        if case .connect = kind { return true }
        return false
    }

    /// Where it stands, for the operator; empty where that says nothing.
    public var place: String {
        if case .script(let script) = kind { return script.place }
        return ""
    }

    /// What an agent said, once it is over.
    public var agentReply: AgentReply? {
        if case .agent(let agent) = kind { return agent.reply }
        return nil
    }

    /// Goes on after an event.
    public mutating func next(_ event: CheckEvent) -> CheckStep {
        switch kind {
        case .connect: return .end(CheckVerdict(.connected))
        case .http(var conversation):
            // Taken out first, so that nothing is copied for being in two places.
            kind = .connect
            defer { kind = .http(conversation) }
            return conversation.next(event)
        case .script(var conversation):
            kind = .connect
            defer { kind = .script(conversation) }
            return conversation.next(event)
        case .redis(var conversation):
            kind = .connect
            defer { kind = .redis(conversation) }
            return conversation.next(event)
        case .mysql(var conversation):
            kind = .connect
            defer { kind = .mysql(conversation) }
            return conversation.next(event)
        case .postgres(var conversation):
            kind = .connect
            defer { kind = .postgres(conversation) }
            return conversation.next(event)
        case .agent(var conversation):
            kind = .connect
            defer { kind = .agent(conversation) }
            return conversation.next(event)
        }
    }
}
