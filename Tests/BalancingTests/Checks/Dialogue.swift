import Balancing
import ClusterModel

/// A check's conversation with a server that says what the test says.
struct Dialogue {
    private var conversation: CheckConversation
    /// All that the check sent.
    private(set) var sent: [UInt8] = []
    private(set) var farewell: [UInt8] = []
    /// Ports to which it connected anew.
    private(set) var connects: [UInt16?] = []
    private(set) var verdict: CheckVerdict?

    init(_ recipe: CheckRecipe) {
        conversation = CheckConversation(recipe)
        take(.connected)
    }

    var sentText: String { String(decoding: sent, as: UTF8.self) }
    var agentReply: AgentReply? { conversation.agentReply }
    var place: String { conversation.place }

    private mutating func take(_ event: CheckEvent) {
        var next: CheckEvent? = event
        while verdict == nil, let event = next {
            next = nil
            switch conversation.next(event) {
            case .wait: break
            case .send(let bytes):
                sent += bytes
                next = .sent
            case .connect(let port):
                connects.append(port)
                next = .connected
            case .end(let verdict, let farewell):
                self.verdict = verdict
                self.farewell = farewell
            }
        }
    }

    mutating func hear(_ bytes: [UInt8]) { take(.received(bytes[...])) }
    mutating func hear(_ text: String) { hear(Array(text.utf8)) }
    mutating func close() { take(.closed) }

    /// The verdict after all of `bytes` at once and the end of the connection.
    static func verdict(_ recipe: CheckRecipe, _ bytes: [UInt8]) -> CheckVerdict? {
        var dialogue = Dialogue(recipe)
        dialogue.hear(bytes)
        dialogue.close()
        return dialogue.verdict
    }

    static func verdict(_ recipe: CheckRecipe, _ text: String) -> CheckVerdict? { verdict(recipe, Array(text.utf8)) }
}

/// Bytes of a line such as `4a 00 0a`.
func hex(_ text: String) -> [UInt8] { text.split(separator: " ").compactMap { UInt8($0, radix: 16) } }
