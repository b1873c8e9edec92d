import Arbiter
import ClusterModel
import LinuxIO

/// Sends the questions of `ArbiterWatch` and takes what comes back: one socket for each open question.
final class ArbiterDesk {
    /// Packets taken from one socket in one pass of the loop.
    static let budget = 8

    /// A class, because an array cannot hold the socket itself.
    private final class Question {
        let address: IPAddress
        let socket: EchoSocket

        init(_ address: IPAddress, _ socket: consuming EchoSocket) {
            self.address = address
            self.socket = socket
        }
    }

    /// By place of the token; the newest question of an address takes the place of the one before.
    private var questions: [Question?] = Array(repeating: nil, count: ConfigurationLimits.arbiterAddresses)
    /// One byte more than an answer may have, so that a longer packet is not taken for one.
    private var buffer = [UInt8](repeating: 0, count: EchoReply.longestPacket + 1)

    /// Closes what belongs to other addresses.
    func keep(only addresses: [IPAddress], in poller: inout Poller) {
        for place in questions.indices {
            guard let question = questions[place], !addresses.contains(question.address) else { continue }
            close(place, in: &poller)
        }
    }

    /// Sends a question.
    ///
    /// - Returns: Why it was not sent; nil when it was.
    func send(_ probe: EchoProbe, in poller: inout Poller) -> String? {
        if let place = questions.firstIndex(where: { $0?.address == probe.address }) { close(place, in: &poller) }
        guard let place = questions.firstIndex(where: { $0 == nil }) else {
            return "\(questions.count) other questions are open"
        }
        do throws(SystemError) {
            let socket = try EchoSocket(to: probe.address)
            // This machine would answer itself, whatever is cut off.
            if socket.source == probe.address { return "it is an address of this node itself" }
            try poller.add(socket.descriptor.number, .read, token: AgentLoop.Token.arbiters + UInt64(place))
            try socket.send(probe.message)
            questions[place] = Question(probe.address, socket)
            return nil
        } catch { return error.reason }
    }

    /// What came for a token.
    func receive(token: UInt64) -> [ArbiterWatch.Input] {
        guard let place = Int(exactly: token - AgentLoop.Token.arbiters), questions.indices.contains(place),
            let question = questions[place]
        else { return [] }
        var inputs: [ArbiterWatch.Input] = []
        for _ in 0..<Self.budget {
            do throws(SystemError) {
                guard let (count, from) = try question.socket.receive(into: &buffer) else { break }
                guard let source = from.endpoint?.address else { continue }
                inputs.append(.received(Array(buffer[..<count]), from: source))
            } catch {
                inputs.append(.unsent(question.address, error.reason))
                break
            }
        }
        return inputs
    }

    private func close(_ place: Int, in poller: inout Poller) {
        if let question = questions[place] { poller.remove(question.socket.descriptor.number) }
        questions[place] = nil
    }
}
