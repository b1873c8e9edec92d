import AgentAPI
import ClusterModel
import Testing

private let ipmi = FenceDevice(
    name: "bmc1",
    agent: "fence_ipmilan",
    parameters: ["ip": "10.0.0.1", "username": "fence"],
    secrets: ["password": Secret("a b=c")],
    targets: ["ctl1": "7", "ctl2": ""]
)

private func metadata(_ parameters: [String]) throws -> AgentMetadata {
    let elements = parameters.map { "<parameter name=\"\($0)\"/>" }.joined()
    let text = "<resource-agent name=\"f\"><parameters>\(elements)</parameters></resource-agent>"
    return try AgentMetadata(parsing: Array(text.utf8))
}

private func lines(
    _ action: FenceAction,
    to device: FenceDevice = ipmi,
    node: String? = "ctl1",
    _ metadata: AgentMetadata?,
    time: Duration = .seconds(60)
) throws -> [String] {
    let request = try FenceRequest(action, node: node, device: device, metadata: metadata, time: time)
    #expect(request.input.last == 10)
    return String(decoding: request.input, as: UTF8.self).split(separator: "\n").map(String.init)
}

@Suite
struct FenceRequestTests {
    @Test
    func `Standard input carries action, node, plug, parameters and secrets`() throws {
        let agent = try metadata(["plug", "port", "power_timeout", "disable_timeout"])
        #expect(
            try lines(.off, agent) == [
                "action=off", "disable_timeout=0", "ip=10.0.0.1", "nodename=ctl1", "password=a b=c", "plug=7",
                "power_timeout=20", "username=fence",
            ]
        )
    }

    @Test
    func `The plug goes by the name that the agent has, and is the node's name where no other is given`() throws {
        #expect(try lines(.off, try metadata(["port"])).contains("port=7"))
        #expect(try lines(.off, node: "ctl2", try metadata(["plug"])).contains("plug=ctl2"))
        #expect(try !lines(.off, try metadata([])).contains { $0.hasPrefix("plug") || $0.hasPrefix("port") })
        #expect(try lines(.off, nil).contains("plug=7"))
        #expect(try lines(.off, nil).contains("port=7"))
        #expect(try !lines(.monitor, node: nil, nil).contains { $0.hasPrefix("plug") || $0.hasPrefix("nodename") })
    }

    @Test
    func `The agent's own wait ends before ours, unless the operator says otherwise`() throws {
        let agent = try metadata(["power_timeout"])
        #expect(try lines(.off, agent, time: .seconds(12)).contains("power_timeout=7"))
        #expect(try lines(.off, agent, time: .seconds(2)).contains("power_timeout=1"))
        var device = ipmi
        device.parameters["power_timeout"] = "3"
        #expect(try lines(.off, to: device, agent).contains("power_timeout=3"))
    }

    @Test
    func `A parameter cannot change the action`() throws {
        var device = ipmi
        device.parameters["action"] = "reboot"
        device.parameters["option"] = "reboot"
        let sent = try lines(.off, to: device, nil)
        #expect(sent.contains("action=off"))
        #expect(!sent.contains { $0.contains("reboot") })
    }

    @Test
    func `A line break in a value is refused, and the refusal does not show the value`() throws {
        var device = ipmi
        device.secrets["password"] = Secret("x\naction=on")
        let error = #expect(throws: FenceRequest.Refusal.self) { try lines(.off, to: device, nil) }
        #expect(error == .lineBreak(parameter: "password"))
        #expect(error?.description.contains("action=on") == false)
    }

    @Test
    func `Only exact answers to status are readings`() {
        func answer(_ action: FenceAction, _ code: Int32) -> FenceAnswer {
            FenceAnswer(action: action, exitCode: code, reason: "why")
        }
        #expect(answer(.status, 0) == .on)
        #expect(answer(.status, 2) == .off)
        #expect(answer(.status, 1) == .failed("status returned 1: why"))
        #expect(answer(.status, 77) == .failed("status returned 77: why"))
        #expect(answer(.off, 0) == .done)
        #expect(answer(.off, 2) == .failed("off returned 2: why"))
    }

    @Test
    func `Secrets are masked before anything is cut, and only the last lines stay`() {
        var device = ipmi
        device.parameters["snmp_priv_passwd"] = "hunter2"
        let mask = SecretMask(device)
        #expect(
            mask.summary(Array("login fence/a b=c failed\u{7}\n\n hunter2!\n".utf8))
                == "login fence/**** failed ; ****!"
        )
        #expect(mask.summary(Array("1\n2\n3\n4\n".utf8)) == "2; 3; 4")
        let long = String(repeating: "x", count: SecretMask.longest - 3) + "a b=c"
        #expect(!mask.summary(Array(long.utf8)).contains("b=c"))
        #expect(mask.summary([]).isEmpty)
    }
}

/// Plays a fence: each line is an input, followed by what it must lead to.
private struct Play {
    var sequence: FenceSequence
    var now = Instant.zero
    let end: Instant

    init(_ devices: [String], seconds: Int64 = 60, powersOn: Bool = true) {
        end = .zero + .seconds(seconds)
        sequence = FenceSequence(devices: devices, deadline: end, powersOn: powersOn)
    }

    mutating func send(_ input: FenceSequence.Input, after delay: Duration = .zero) -> [FenceSequence.Effect] {
        now = now + delay
        var effects: [FenceSequence.Effect] = []
        sequence.receive(input, now: now, into: &effects)
        return effects
    }
}

@Suite
struct FenceSequenceTests {
    @Test
    func `Off, two readings a second apart, verified, on`() {
        var play = Play(["bmc"])
        #expect(play.send(.begin) == [.run(device: 0, .off, deadline: play.end)])
        #expect(play.send(.answered(.done), after: .seconds(2)) == [.run(device: 0, .status, deadline: play.end)])
        #expect(play.send(.answered(.off)) == [])
        #expect(play.sequence.nextDeadline == play.now + .seconds(1))
        #expect(play.send(.timePassed, after: .milliseconds(999)) == [])
        #expect(play.send(.timePassed, after: .milliseconds(1)) == [.run(device: 0, .status, deadline: play.end)])
        let on = play.send(.answered(.off))
        #expect(on == [.verified(device: 0), .run(device: 0, .on, deadline: play.now + FenceSequence.powerOnLimit)])
        #expect(play.send(.answered(.failed("no power"))) == [.poweredOn(failure: "no power"), .ended])
        #expect(play.sequence.nextDeadline == nil)
    }

    @Test
    func `Without powering on, a verified off is the end`() {
        var play = Play(["bmc"], powersOn: false)
        _ = play.send(.begin)
        _ = play.send(.answered(.done))
        _ = play.send(.answered(.off))
        _ = play.send(.timePassed, after: .seconds(1))
        #expect(play.send(.answered(.off)) == [.verified(device: 0), .ended])
    }

    @Test
    func `The next device is tried, with a fair share of the time, and all reasons are told`() {
        var play = Play(["bmc", "pdu"])
        #expect(play.send(.begin) == [.run(device: 0, .off, deadline: .zero + .seconds(30))])
        let second = play.send(.answered(.failed("no answer")), after: .seconds(30))
        #expect(second == [.run(device: 1, .off, deadline: play.end)])
        let end = play.send(.answered(.failed("no plug 7")), after: .seconds(1))
        #expect(end == [.failed("bmc: no answer; pdu: no plug 7"), .ended])
    }

    @Test
    func `A reading that fails is repeated, and two readings of off in a row are needed`() {
        var play = Play(["bmc"])
        _ = play.send(.begin)
        _ = play.send(.answered(.done))
        #expect(play.send(.answered(.off)) == [])
        _ = play.send(.timePassed, after: .seconds(1))
        #expect(play.send(.answered(.failed("link lost"))) == [])
        _ = play.send(.timePassed, after: .seconds(1))
        #expect(play.send(.answered(.off)) == [])
        _ = play.send(.timePassed, after: .seconds(1))
        #expect(play.send(.answered(.off)).first == .verified(device: 0))
    }

    @Test
    func `A node found on after off is powered off again, a bounded number of times`() {
        var play = Play(["bmc"])
        _ = play.send(.begin)
        for _ in 0..<FenceSequence.mostRepetitions {
            _ = play.send(.answered(.done))
            #expect(play.send(.answered(.on)) == [.run(device: 0, .off, deadline: play.end)])
        }
        _ = play.send(.answered(.done))
        #expect(play.send(.answered(.on)) == [.failed("bmc: the power was on again after off, 4 times"), .ended])
    }

    @Test
    func `A withdrawn fence sends no off any more, neither a first nor another one, and no other device is tried`() {
        var early = Play(["bmc", "pdu"])
        let failure = "withdrawn: it had lost its purpose"
        #expect(early.send(.withdrawn) == [.failed(failure), .ended])
        #expect(early.send(.begin) == [])
        var refused = Play(["bmc", "pdu"])
        _ = refused.send(.begin)
        #expect(refused.send(.withdrawn) == [])
        #expect(refused.send(.answered(.failed("busy"))) == [.failed("bmc: busy; \(failure)"), .ended])
        var back = Play(["bmc", "pdu"])
        _ = back.send(.begin)
        _ = back.send(.answered(.done))
        _ = back.send(.withdrawn)
        let reason = "bmc: the power was on again after off, 1 times; \(failure)"
        #expect(back.send(.answered(.on)) == [.failed(reason), .ended])
    }

    @Test
    func `What was sent before a fence was withdrawn is verified, and the node switched on again`() {
        var play = Play(["bmc"])
        _ = play.send(.begin)
        _ = play.send(.withdrawn)
        #expect(play.send(.answered(.done)) == [.run(device: 0, .status, deadline: play.end)])
        _ = play.send(.answered(.off))
        _ = play.send(.timePassed, after: .seconds(1))
        let effects = play.send(.answered(.off))
        #expect(effects.first == .verified(device: 0) && effects.count == 2)
    }

    @Test
    func `Off that is never verified is a failure at the deadline`() {
        var play = Play(["bmc"], seconds: 5)
        _ = play.send(.begin)
        var effects = play.send(.answered(.done))
        while !effects.contains(.ended) {
            effects = play.send(.answered(.failed("silent")))
            if play.sequence.nextDeadline != nil { effects = play.send(.timePassed, after: .seconds(1)) }
        }
        #expect(effects == [.failed("bmc: off was accepted but not verified in time: silent"), .ended])
        #expect(play.now <= play.end)
    }

    @Test
    func `Answers that nobody asked for change nothing`() {
        var play = Play(["bmc"])
        #expect(play.send(.answered(.off)) == [])
        #expect(play.send(.timePassed) == [])
        _ = play.send(.begin)
        #expect(play.send(.begin) == [])
        #expect(play.send(.timePassed, after: .seconds(9)) == [])
        #expect(play.send(.answered(.off)) == [.failed("bmc: off was answered by a reading"), .ended])
        #expect(play.send(.answered(.done)) == [])
    }

    @Test
    func `No device and no time are failures`() {
        var none = Play([])
        #expect(none.send(.begin) == [.failed("no fence device for this node"), .ended])
        var late = Play(["bmc"], seconds: 1)
        #expect(late.send(.begin) == [.failed("bmc: no time was left for it"), .ended])
    }

    /// All sequences of answers up to a length: success is only ever told after done, off, off.
    @Test
    func `Nothing but two readings of off after an accepted off is success`() {
        let answers: [FenceAnswer] = [.done, .on, .off, .failed("x")]
        for number in 0..<1024 {
            var play = Play(["a"], powersOn: false)
            var story = number
            var accepted = false
            var offs = 0
            var effects = play.send(.begin)
            for _ in 0..<5 {
                let answer = answers[story % 4]
                story /= 4
                switch (effects.last, answer) {
                case (.run(_, .off, _), .done): (accepted, offs) = (true, 0)
                case (.run(_, .off, _), _): accepted = false
                case (.run(_, .status, _), .off): offs += 1
                default: offs = 0
                }
                effects = play.send(.answered(answer))
                if effects.contains(.verified(device: 0)) { #expect(accepted && offs == 2) }
                if play.sequence.nextDeadline != nil { effects = play.send(.timePassed, after: .seconds(1)) }
            }
        }
    }
}
