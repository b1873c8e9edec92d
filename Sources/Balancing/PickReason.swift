/// Why a server was picked; counted per listener and per server.
public enum PickReason: UInt8, CaseIterable, Codable, Sendable {
    /// The client's cookie named it.
    case cookie
    /// The client sent no cookie.
    case noCookie
    /// Its cookie named no server.
    case unknownCookie
    /// Its cookie named a server that serves nobody now.
    case cookieServerDown
    /// The server picked first could not be reached, or its answer was one after which the request is sent again.
    case redispatch
    /// The listener has no cookie.
    case balance
    /// The client's cookie named it; it is down, but its clients are to stay (`option persist`).
    case persist
    /// The client had been away for longer than `maxidle`.
    case cookieExpired
    /// The client had its cookie for longer than `maxlife`.
    case cookieTooOld
}

/// What the client's persistence cookie was worth: the third of the flags with which HAProxy's log ends a session.
public enum ClientCookie: UInt8, CaseIterable, Codable, Sendable {
    /// The listener has no cookie.
    case absent
    /// N: it sent none.
    case none
    /// I: it named no server.
    case invalid
    /// D: its server is down, or could not be reached.
    case down
    /// V: it named the server that was used.
    case valid
    /// E: its client had been away for too long.
    case expired
    /// O: its client had it for too long.
    case old

    /// HAProxy's letter.
    public var letter: Character {
        switch self {
        case .absent: "-"
        case .none: "N"
        case .invalid: "I"
        case .down: "D"
        case .valid: "V"
        case .expired: "E"
        case .old: "O"
        }
    }
}

/// What became of the persistence cookie in the response: the fourth of those flags.
public enum ServerCookie: UInt8, CaseIterable, Codable, Sendable {
    /// The listener has no cookie.
    case absent
    /// N: the server set none, and the proxy did not either.
    case none
    /// I: the proxy set one.
    case inserted
    /// U: the proxy set the client's own again, with other dates.
    case updated
    /// P: the server's was passed on as it was.
    case provided
    /// R: the server's was passed on with its value changed.
    case rewritten
    /// D: the server's was taken out.
    case deleted

    /// HAProxy's letter.
    public var letter: Character {
        switch self {
        case .absent: "-"
        case .none: "N"
        case .inserted: "I"
        case .updated: "U"
        case .provided: "P"
        case .rewritten: "R"
        case .deleted: "D"
        }
    }
}
