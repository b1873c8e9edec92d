import Balancing
import ClusterModel
import Testing

@Suite
struct ScriptCheckTests {
    private func expect(_ subject: TCPExpectation.Subject, not: Bool = false) -> TCPCheckRule {
        .expect(TCPExpectation(subject, isNegated: not))
    }

    @Test
    func `Rules follow each other, each looking at what has come since the last send`() {
        let rules: [TCPCheckRule] = [
            .connect(port: nil), expect(.string("220 ")), .send("HELO x\r\n"), expect(.pattern("^250[ -]")),
            expect(.string("ok")), .sendBinary([0x51, 0x0A]), expect(.binary([0x32, 0x32, 0x31])),
        ]
        var dialogue = Dialogue(.service(.script(rules)))
        #expect(dialogue.sent.isEmpty && dialogue.place == "at rule 2 of tcp-check")
        dialogue.hear("22")
        dialogue.hear("0 here 250 221\r\n")
        #expect(dialogue.sentText == "HELO x\r\n" && dialogue.verdict == nil)
        dialogue.hear("250 o")
        #expect(dialogue.place == "at rule 5 of tcp-check")
        dialogue.hear("k\r\n")
        #expect(dialogue.sentText == "HELO x\r\nQ\n" && dialogue.verdict == nil)
        dialogue.hear("221")
        #expect(dialogue.verdict == CheckVerdict(.passed))
    }

    @Test
    func `What does not come until the end is a failure, and nothing that shall not come is none`() {
        #expect(Dialogue.verdict(.service(.script([expect(.string("ok"))])), "no")?.result == .invalidResponse)
        #expect(Dialogue.verdict(.service(.script([expect(.string("ok"), not: true)])), "no")?.result == .passed)
        #expect(Dialogue.verdict(.service(.script([expect(.pattern("^ok$"))])), "ok\n")?.result == .passed)
        #expect(Dialogue.verdict(.service(.script([expect(.pattern("^ok$"))])), "nok")?.result == .invalidResponse)
        var ended = Dialogue(.service(.script([expect(.pattern("^ok$"))])))
        ended.hear("ok\n")
        #expect(ended.verdict?.result == .passed)
        var unwanted = Dialogue(.service(.script([expect(.string("ERR"), not: true)])))
        unwanted.hear("-ER")
        #expect(unwanted.verdict == nil)
        unwanted.hear("R x")
        #expect(unwanted.verdict?.result == .invalidResponse)
        #expect(unwanted.verdict?.info == "unwanted answer at rule 1 of tcp-check")
    }

    @Test
    func `A connection alone is one, and several ports can be checked in turn`() {
        #expect(Dialogue(.service(.script([.connect(port: nil)]))).verdict?.result == .connected)
        let script = CheckRecipe.service(.script([.connect(port: 81), expect(.string("a")), .connect(port: 82)]))
        #expect(CheckConversation(script).firstPort == 81)
        var dialogue = Dialogue(script)
        dialogue.hear("a")
        #expect(dialogue.connects == [82] && dialogue.verdict?.result == .passed)
    }

    @Test
    func `A server that closes before it was asked is none`() {
        var dialogue = Dialogue(.service(.script([expect(.string("hi")), .send("x"), expect(.string("y"))])))
        dialogue.hear("hi")
        dialogue.close()
        #expect(dialogue.verdict?.result == .invalidResponse)
    }

    @Test
    func `What is too long is not kept`() {
        var dialogue = Dialogue(.service(.script([expect(.string("end"))])))
        for _ in 0..<3 { dialogue.hear([UInt8](repeating: 0x2E, count: 5000)) }
        #expect(dialogue.verdict == nil)
        dialogue.hear([UInt8](repeating: 0x2E, count: 5000) + Array("end".utf8))
        #expect(dialogue.verdict?.result == .invalidResponse)
    }
}
