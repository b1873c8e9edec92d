import Balancing
import ClusterModel
import Testing

@Suite
struct HealthTests {
    private func story(_ results: String, rise: Int = 2, fall: Int = 3) -> String {
        var health = HealthMachine(rise: rise, fall: fall)
        var text = ""
        for result in results {
            let before = health.isUp
            let transition = health.receive(passed: result == "+")
            #expect((transition == nil) == (before == health.isUp))
            text += health.isUp ? "U" : "d"
        }
        return text
    }

    @Test
    func `A server is up before its first check`() {
        #expect(HealthMachine(rise: 2, fall: 3).isUp)
    }

    @Test
    func `One failed check takes a never-checked server down`() {
        #expect(story("-") == "d")
    }

    @Test
    func `After a pass it takes fall failures in a row`() {
        #expect(story("+--") == "UUU")
        #expect(story("+---") == "UUUd")
        #expect(story("+--+--") == "UUUUUU")
    }

    @Test
    func `It takes rise passes in a row to come back`() {
        #expect(story("-+-+") == "dddd")
        #expect(story("-++") == "ddU")
        #expect(story("-++---") == "ddUUUd")
    }

    @Test
    func `Counts of one decide at once`() {
        #expect(story("+-+-", rise: 1, fall: 1) == "UdUd")
    }

    @Test
    func `Changed counts keep the state`() {
        var health = HealthMachine(rise: 2, fall: 3)
        _ = health.receive(passed: false)
        health.configure(rise: 3, fall: 5)
        #expect(!health.isUp)
        for _ in 0..<2 { #expect(health.receive(passed: true) == nil) }
        #expect(health.receive(passed: true) == .wentUp)
        health.configure(rise: 1, fall: 1)
        #expect(health.isUp && health.receive(passed: false) == .wentDown)
    }

    @Test
    func `The pace follows the doubt`() {
        var health = HealthMachine(rise: 2, fall: 2)
        var paces = [health.pace]
        for passed in [true, false, false, false, true, true, true] {
            _ = health.receive(passed: passed)
            paces.append(health.pace)
        }
        #expect(paces == [.inTransition, .steady, .inTransition, .down, .down, .inTransition, .steady, .steady])
    }

    @Test(arguments: [
        (Observation.Reaction.fastinter, [true, true, true, true]), (.failCheck, [true, true, false, false]),
        (.suddenDeath, [true, false, false, false]), (.markDown, [false, false, false, false]),
    ])
    func `Errors of clients' traffic count as HAProxy counts them`(reaction: Observation.Reaction, isUp: [Bool]) {
        var health = HealthMachine(rise: 2, fall: 3)
        _ = health.receive(passed: true)
        let states = isUp.map { _ in
            _ = health.receive(reaction)
            return health.isUp
        }
        #expect(states == isUp)
        var dying = HealthMachine(rise: 2, fall: 3)
        _ = dying.receive(passed: true)
        _ = dying.receive(.suddenDeath)
        #expect(dying.isUp && dying.receive(passed: false) == .wentDown)
    }

    @Test
    func `What an earlier process knew holds as if this one had seen it`() {
        var health = HealthMachine(rise: 2, fall: 2)
        health.restore(isUp: false)
        #expect(!health.isUp && health.receive(passed: true) == nil && health.receive(passed: true) == .wentUp)
        health.restore(isUp: true)
        #expect(health.receive(passed: false) == nil && health.receive(passed: false) == .wentDown)
    }

    @Test
    func `A distrusted server must pass before it serves`() {
        var health = HealthMachine(rise: 2, fall: 3)
        health.distrust()
        #expect(!health.isUp)
        #expect(health.receive(passed: true) == nil)
        #expect(health.receive(passed: true) == .wentUp)
    }
}

@Suite
struct ServerConditionTests {
    @Test(arguments: [
        (ServerCondition(admin: .ready, isHealthy: true), ServerStatus.up, true, true),
        (ServerCondition(admin: .ready, isHealthy: false), .down, false, false),
        (ServerCondition(admin: .ready, isHealthy: true, weight: 0), .up, true, false),
        (ServerCondition(admin: .drain, isHealthy: true), .drain, true, false),
        (ServerCondition(admin: .drain, isHealthy: false), .down, false, false),
        (ServerCondition(admin: .maint, isHealthy: true), .maint, false, false),
        (ServerCondition(admin: .ready, isHealthy: true, node: .lost), .down, false, false),
        (ServerCondition(admin: .ready, isHealthy: true, node: .standby), .drain, true, false),
        (ServerCondition(admin: .maint, isHealthy: true, node: .lost), .maint, false, false),
        (ServerCondition(admin: .ready, isHealthy: true, isStopping: true), .stopping, true, false),
        (ServerCondition(admin: .drain, isHealthy: true, isStopping: true), .drain, true, false),
        (ServerCondition(admin: .ready, isHealthy: false, isStopping: true), .down, false, false),
    ])
    func `Operator, checks and cluster decide together`(
        condition: ServerCondition,
        status: ServerStatus,
        isUsable: Bool,
        isEligible: Bool
    ) {
        #expect(condition.status == status)
        #expect(condition.isUsable == isUsable)
        #expect(condition.isEligible == isEligible)
    }
}
