import Balancing
import ClusterModel
import Testing

/// Answers of services as they come over the wire.
enum Wire {
    /// Handshake V10 of MariaDB 10.11, with plugins offered.
    static let greeting = hex(
        """
        59 00 00 00 0a 35 2e 35 2e 35 2d 31 30 2e 31 31 2e 36 2d 4d 61 72 69 61 44 42 00 2f 00 00 00 3e 4d 78 22 39 61 \
        5a 7c 00 fe f7 2d 02 00 ff 81 15 00 00 00 00 00 00 1d 00 00 00 2f 5c 46 2b 4b 5d 2d 33 6d 68 33 76 00 6d 79 73 \
        71 6c 5f 6e 61 74 69 76 65 5f 70 61 73 73 77 6f 72 64 00
        """
    )
    /// ERR 1129: Host '10.0.0.1' is blocked because of many connection errors.
    static let blocked = hex(
        """
        3f 00 00 00 ff 69 04 48 6f 73 74 20 27 31 30 2e 30 2e 30 2e 31 27 20 69 73 20 62 6c 6f 63 6b 65 64 20 62 65 63 \
        61 75 73 65 20 6f 66 20 6d 61 6e 79 20 63 6f 6e 6e 65 63 74 69 6f 6e 20 65 72 72 6f 72 73
        """
    )
    /// ERR 1045 28000: Access denied for user 'haven'@'10.0.0.1' (using password: NO).
    static let denied = hex(
        """
        47 00 00 02 ff 15 04 23 32 38 30 30 30 41 63 63 65 73 73 20 64 65 6e 69 65 64 20 66 6f 72 20 75 73 65 72 20 27 \
        68 61 76 65 6e 27 40 27 31 30 2e 30 2e 30 2e 31 27 20 28 75 73 69 6e 67 20 70 61 73 73 77 6f 72 64 3a 20 4e 4f 29
        """
    )
    /// OK of a login.
    static let ok = hex("07 00 00 02 00 00 00 02 00 00 00")
    /// AuthSwitchRequest to caching_sha2_password.
    static let authSwitch = hex(
        """
        2c 00 00 02 fe 63 61 63 68 69 6e 67 5f 73 68 61 32 5f 70 61 73 73 77 6f 72 64 00 78 78 78 78 78 78 78 78 78 78 \
        78 78 78 78 78 78 78 78 78 78 00
        """
    )
    /// AuthMoreData: fast authentication is enough, and: full authentication is needed.
    static let fastEnough = hex("02 00 00 04 01 03")
    static let fullNeeded = hex("02 00 00 04 01 04")

    /// AuthenticationOk, AuthenticationMD5Password, AuthenticationSASL with SCRAM-SHA-256.
    static let trusted = hex("52 00 00 00 08 00 00 00 00")
    static let md5 = hex("52 00 00 00 0c 00 00 00 05 01 02 03 04")
    static let scram = hex("52 00 00 00 17 00 00 00 0a 53 43 52 41 4d 2d 53 48 41 2d 32 35 36 00 00")
    /// FATAL: role "haven" does not exist.
    static let noRole = hex(
        """
        45 00 00 00 61 53 46 41 54 41 4c 00 56 46 41 54 41 4c 00 43 32 38 30 30 30 00 4d 72 6f 6c 65 20 22 68 61 76 65 \
        6e 22 20 64 6f 65 73 20 6e 6f 74 20 65 78 69 73 74 00 46 6d 69 73 63 69 6e 69 74 2e 63 00 4c 37 34 32 00 52 49 \
        6e 69 74 69 61 6c 69 7a 65 53 65 73 73 69 6f 6e 55 73 65 72 49 64 00 00
        """
    )
    /// INFO replication of a master and of a replica.
    static let master = "$40\r\n# Replication\r\nrole:master\r\nslaves:0 x\r\n\r\n"
    static let replica = "$49\r\n# Replication\r\nrole:slave\r\nmaster_host:10.0.0.1\r\n\r\n"
}

@Suite
struct MySQLCheckTests {
    private let greeting = CheckRecipe.service(.mysql(user: nil))
    private let login = CheckRecipe.service(.mysql(user: "haven"))

    @Test
    func `Without a user the greeting is enough`() {
        var dialogue = Dialogue(greeting)
        dialogue.hear(Wire.greeting)
        #expect(dialogue.verdict == CheckVerdict(.passed, info: "5.5.5-10.11.6-MariaDB"))
        #expect(dialogue.sent.isEmpty)
    }

    @Test
    func `A login without a password ends with COM_QUIT`() {
        var dialogue = Dialogue(login)
        dialogue.hear(Wire.greeting)
        // Capabilities, longest message, character set, 23 zeros, user, no password, plugin.
        let body =
            hex("00 82 08 00 00 00 00 01 21") + [UInt8](repeating: 0, count: 23) + Array("haven\0\0".utf8)
            + Array("mysql_native_password\0".utf8)
        #expect(dialogue.sent == [UInt8(body.count), 0, 0, 1] + body)
        dialogue.hear(Wire.ok)
        #expect(dialogue.verdict == CheckVerdict(.passed))
        #expect(dialogue.farewell == hex("01 00 00 00 01"))
    }

    @Test
    func `Another way to log in is answered with no password`() {
        var dialogue = Dialogue(login)
        dialogue.hear(Wire.greeting)
        let before = dialogue.sent.count
        dialogue.hear(Wire.authSwitch)
        #expect(Array(dialogue.sent[before...]) == hex("00 00 00 03"))
        dialogue.hear(Wire.fastEnough + hex("07 00 00 05 00 00 00 02 00 00 00"))
        #expect(dialogue.verdict == CheckVerdict(.passed))
        #expect(Dialogue.verdict(login, Wire.greeting + Wire.authSwitch + Wire.fullNeeded)?.result == .wrongStatus)
        #expect(Dialogue.verdict(login, Wire.greeting + hex("01 00 00 02 fe"))?.result == .wrongStatus)
    }

    @Test
    func `Errors are told in the server's words`() {
        #expect(
            Dialogue.verdict(login, Wire.greeting + Wire.denied)
                == CheckVerdict(
                    .wrongStatus,
                    info: "1045 Access denied for user 'haven'@'10.0.0.1' (using password: NO)"
                )
        )
        let blocked = Dialogue.verdict(greeting, Wire.blocked)
        #expect(blocked?.info == "1129 Host '10.0.0.1' is blocked because of many connection errors")
        #expect(Dialogue.verdict(greeting, "SSH-2.0-OpenSSH\r\n")?.result == .invalidResponse)
        #expect(Dialogue.verdict(greeting, hex("02 00 00 00 09 00"))?.result == .invalidResponse)
        #expect(Dialogue.verdict(greeting, "")?.result == .invalidResponse)
    }
}

@Suite
struct PostgresCheckTests {
    private let recipe = CheckRecipe.service(.postgres(user: "haven"))

    @Test
    func `A session is begun as this user, and ended if it stands`() {
        var dialogue = Dialogue(recipe)
        let fields = Array("user\0haven\0database\0haven\0\0".utf8)
        #expect(dialogue.sent == [0, 0, 0, UInt8(fields.count + 8), 0, 3, 0, 0] + fields)
        dialogue.hear(Wire.trusted)
        #expect(dialogue.verdict == CheckVerdict(.passed) && dialogue.farewell == hex("58 00 00 00 04"))
    }

    @Test
    func `A question for a password is a sign of life`() {
        #expect(Dialogue.verdict(recipe, Wire.md5) == CheckVerdict(.passed))
        #expect(Dialogue.verdict(recipe, Wire.scram) == CheckVerdict(.passed))
        // A notice may come before it.
        #expect(Dialogue.verdict(recipe, hex("4e 00 00 00 05 00") + Wire.md5) == CheckVerdict(.passed))
    }

    @Test
    func `Errors are told in the server's words`() {
        let verdict = Dialogue.verdict(recipe, Wire.noRole)
        #expect(verdict == CheckVerdict(.wrongStatus, info: "FATAL: role \"haven\" does not exist"))
        #expect(Dialogue.verdict(recipe, "HTTP/1.1 400 Bad Request\r\n")?.result == .invalidResponse)
        #expect(Dialogue.verdict(recipe, hex("52 00 00 00 08 00 00 00 63"))?.result == .invalidResponse)
        #expect(Dialogue.verdict(recipe, hex("52 00 00 00 03"))?.result == .invalidResponse)
    }
}

@Suite
struct RedisCheckTests {
    private let ping = CheckRecipe.service(.redis(isMaster: false))
    private let master = CheckRecipe.service(.redis(isMaster: true))

    @Test
    func `PING is answered, and the session ended`() {
        var dialogue = Dialogue(ping)
        dialogue.hear("+PO")
        dialogue.hear("NG\r\n")
        #expect(dialogue.sentText == "PING\r\n" && dialogue.verdict == CheckVerdict(.passed))
        #expect(String(decoding: dialogue.farewell, as: UTF8.self) == "QUIT\r\n")
        let locked = Dialogue.verdict(ping, "-NOAUTH Authentication required.\r\n")
        #expect(locked == CheckVerdict(.wrongStatus, info: "NOAUTH Authentication required."))
        #expect(Dialogue.verdict(ping, "+PANG\r\n")?.result == .invalidResponse)
        #expect(Dialogue.verdict(ping, "")?.result == .invalidResponse)
    }

    @Test
    func `A master is one, a replica is told from it at once`() {
        var dialogue = Dialogue(master)
        dialogue.hear("+PONG\r\n")
        #expect(dialogue.sentText == "PING\r\nINFO replication\r\n" && dialogue.verdict == nil)
        dialogue.hear(Wire.master)
        #expect(dialogue.verdict == CheckVerdict(.passed))
        var other = Dialogue(master)
        other.hear("+PONG\r\n")
        other.hear(Wire.replica)
        #expect(other.verdict == CheckVerdict(.wrongStatus, info: "role:slave"))
        for answer in ["-ERR unknown command\r\n", "$5\r\nrole:\r\n", "$-1\r\n", "$99999999\r\n", "*2\r\n"] {
            var bad = Dialogue(master)
            bad.hear("+PONG\r\n")
            bad.hear(answer)
            bad.close()
            #expect(bad.verdict?.result.isPass == false, "\(answer)")
        }
    }
}

@Suite
struct AgentCheckTests {
    private func reply(_ line: String) -> AgentReply? { AgentReply(Array(line.utf8)[...]) }

    @Test
    func `Words may stand together, with a reason behind the last`() {
        #expect(reply("up")?.isUp == true)
        #expect(reply("75%")?.weightPercent == 75)
        let both = reply("Ready, UP 50%\r")
        #expect(both?.admin == .ready && both?.isUp == true && both?.weightPercent == 50)
        for word in ["down", "stopped", "fail", "failed", "down#disk full"] { #expect(reply(word)?.isUp == false) }
        #expect(reply("down#\u{1B}[31mé\r")?.text == "down#?[31m??")
        #expect(reply("down disk full")?.isUp == false && reply("hello down")?.isUp == false)
        #expect(reply("down #disk, up")?.isUp == false && reply("up #down")?.isUp == true)
        let reason = reply("drain#going up 5%")
        #expect(reason?.admin == .drain && reason?.isUp == nil && reason?.weightPercent == nil)
        for line in ["", "   ", "hello", "%", "-5%", "1e9%", "99999%", "maxconn:5"] {
            #expect(reply(line) == nil, "\(line)")
        }
    }

    @Test
    func `One line is read, and what it does not say stays`() {
        var dialogue = Dialogue(.agent)
        dialogue.hear("dra")
        #expect(dialogue.verdict == nil)
        dialogue.hear("in 10%\nup\n")
        #expect(dialogue.verdict?.result == .passed && dialogue.agentReply?.text == "drain 10%")
        var opinion = AgentOpinion()
        if let said = dialogue.agentReply { opinion.take(said) }
        #expect(opinion.admin == .drain && opinion.isUp && opinion.weightPercent == 10)
        if let said = reply("down") { opinion.take(said) }
        #expect(opinion.admin == .drain && !opinion.isUp && opinion.weightPercent == 10)
        // What is not ended may be half a word.
        #expect(Dialogue.verdict(.agent, "up")?.result == .invalidResponse)
        #expect(Dialogue.verdict(.agent, "what\n")?.result == .invalidResponse)
        #expect(Dialogue.verdict(.agent, String(repeating: "x", count: 5000))?.result == .invalidResponse)
    }

    @Test
    func `The stricter state counts, and a share is a part of the weight`() {
        var opinion = AgentOpinion()
        #expect(opinion.admin(with: .drain) == .drain && opinion.weight(of: 7) == 7)
        opinion.admin = .drain
        #expect(opinion.admin(with: .ready) == .drain && opinion.admin(with: .maint) == .maint)
        opinion.weightPercent = 50
        #expect(opinion.weight(of: 10) == 5 && opinion.weight(of: 1) == 1 && opinion.weight(of: 0) == 0)
        opinion.weightPercent = 400
        #expect(opinion.weight(of: 100) == 256)
        opinion.weightPercent = 0
        #expect(opinion.weight(of: 100) == 0)
    }
}

/// Every answer ends in a verdict, whatever it is.
@Suite
struct CheckRobustnessTests {
    private static let recipes: [CheckRecipe] = [
        .http(HTTPCheck()), .service(.mysql(user: nil)), .service(.mysql(user: "u")),
        .service(.postgres(user: "u")), .service(.redis(isMaster: false)), .service(.redis(isMaster: true)), .agent,
        .service(
            .script([
                .expect(TCPExpectation(.pattern("a.*b$"))), .send("x"),
                .expect(TCPExpectation(.string("no"), isNegated: true)),
            ])
        ),
    ]

    private static let answers: [[UInt8]] = [
        Wire.greeting + Wire.authSwitch + Wire.fastEnough + Wire.ok, Wire.greeting + Wire.denied, Wire.blocked,
        Wire.trusted, Wire.scram, Wire.noRole, Array(("+PONG\r\n" + Wire.master).utf8),
        Array(("+PONG\r\n" + Wire.replica).utf8), Array("drain 75%#x\r\n".utf8), Array("axxb\nxyz".utf8),
        Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8),
    ]

    @Test
    func `Every truncation of every answer, in every check`() {
        for recipe in Self.recipes {
            for answer in Self.answers {
                for count in 0...answer.count {
                    #expect(Dialogue.verdict(recipe, Array(answer[..<count])) != nil)
                }
            }
        }
    }

    @Test
    func `Byte by byte says what all at once says`() {
        for recipe in Self.recipes {
            for answer in Self.answers {
                var slow = Dialogue(recipe)
                for byte in answer where slow.verdict == nil { slow.hear([byte]) }
                if slow.verdict == nil { slow.close() }
                // What follows a whole answer in one piece belongs to it only where a script waits for the end.
                if case .service(.script) = recipe { continue }
                #expect(slow.verdict?.result == Dialogue.verdict(recipe, answer)?.result, "\(recipe)")
            }
        }
    }

    @Test(arguments: 0..<6)
    func `Damaged and random bytes`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for recipe in Self.recipes {
            for answer in Self.answers {
                for _ in 0..<20 {
                    var bytes = answer
                    for _ in 0..<Int.random(in: 1...4, using: &generator) {
                        let at = Int.random(in: 0..<bytes.count, using: &generator)
                        bytes[at] = UInt8.random(in: 0...255, using: &generator)
                    }
                    #expect(Dialogue.verdict(recipe, bytes) != nil)
                }
            }
            for _ in 0..<200 {
                let count = Int.random(in: 0...64, using: &generator)
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                #expect(Dialogue.verdict(recipe, bytes) != nil)
            }
        }
    }
}
