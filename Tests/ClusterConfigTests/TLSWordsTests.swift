import ClusterConfig
import ClusterModel
import Testing

/// Words of encryption, of listeners and of servers.
@Suite
struct TLSWordsTests {
    private func listener(_ words: String) throws(WordProblems) -> Listener {
        try ListenerWords.parse(
            name: "web",
            words: ["bind=10.0.0.1:443", "mode=http"] + words.split(separator: " ").map(String.init)
        )
    }

    private func server(_ words: String) throws(WordProblems) -> Server {
        try ServerWords.parse(name: "s", words: ["10.0.0.1:443"] + words.split(separator: " ").map(String.init))
    }

    private func problems(_ body: () throws(WordProblems) -> Void) -> [String] {
        do throws(WordProblems) {
            try body()
            return []
        } catch { return error.problems.map(\.description) }
    }

    @Test
    func `A listener with a certificate encrypts, with the defaults of today`() throws {
        let plain = try listener("crt=/etc/haven/a.pem")
        #expect(plain.tls == ListenerTLS(certificates: ["/etc/haven/a.pem"]))
        #expect(try listener("").tls == nil)
    }

    @Test
    func `All its words are read, and written so that they are read again`() throws {
        let words = """
            crt=/etc/a.pem,/etc/certs ssl-min-ver=TLSv1.3 ciphers=ECDHE+AESGCM:!aNULL ciphersuites=TLS_AES_128_GCM_SHA256 \
            alpn=http/1.1,x verify=optional ca-file=/etc/ca.pem strict-sni=true
            """
        let listener = try listener(words)
        #expect(listener.tls?.certificates == ["/etc/a.pem", "/etc/certs"] && listener.tls?.lowestVersion == .tls13)
        #expect(listener.tls?.protocols == ["http/1.1", "x"] && listener.tls?.verify == .optional)
        #expect(listener.tls?.isStrict == true && listener.tls?.ciphers == "ECDHE+AESGCM:!aNULL")
        let written = ListenerWords.settings(listener).map { "\($0.name)=\($0.value)" }
        #expect(try ListenerWords.parse(name: "web", words: written) == listener)
    }

    @Test(arguments: [
        ("ssl=true", "there is no option \"ssl\"|this version has no \"ssl\" for listeners; give crt="),
        ("crt=a.pem", "crt cannot be \"a.pem\"; give an absolute path"),
        ("crt=/a.pem ssl-min-ver=TLSv1.0", "ssl-min-ver cannot be \"TLSv1.0\"; give TLSv1.2 or TLSv1.3"),
        ("crt=/a.pem alpn=h2,http/1.1", "this version does not speak HTTP/2"),
        ("crt=/a.pem verify=yes ca-file=/c", "verify cannot be \"yes\""),
        ("crt=/a.pem verify=required", "clients are verified, but by no authority; give ca-file="),
        ("crt=/a.pem ca-file=/c.pem", "there is a ca-file, but clients are not verified"),
        ("ssl-min-ver=TLSv1.3", "the listener would encrypt without a certificate; give crt="),
    ])
    func `What cannot be is told by name`(words: String, starts: String) {
        let found = problems { () throws(WordProblems) in _ = try listener(words) }
        #expect(!found.isEmpty, "\(words)")
        let isTold = found.contains { text in starts.split(separator: "|").contains { text.hasPrefix($0) } }
        #expect(isTold, "\(found)")
    }

    @Test
    func `Words of a server are read, and written so that they are read again`() throws {
        let server = try server(
            "ssl verify required sni str(keystone.test) verifyhost k.test ca-file /c.pem crt /own.pem"
        )
        #expect(server.tls?.serverName == "keystone.test" && server.tls?.verifiedName == "k.test")
        #expect(server.tls?.authority == "/c.pem" && server.tls?.certificate == "/own.pem")
        #expect(try ServerWords.parse(name: "s", words: ServerWords.words(server)) == server)
        let careless = try self.server("ssl verify none")
        #expect(careless.tls?.isVerified == false)
        #expect(try ServerWords.parse(name: "s", words: ServerWords.words(careless)) == careless)
    }

    @Test(arguments: [
        ("ssl", "the server's certificate is verified, but by no name; give sni NAME or verifyhost NAME"),
        ("sni a.test", "\"sni\" is given, but not \"ssl\"; add the word ssl"),
        ("ssl verify maybe sni a", "verify cannot be \"maybe\""),
        ("ssl sni req.hdr(host)", "\"req.hdr(host)\" is no host name"),
        ("ssl sni a.test ca-file c.pem", "ca-file cannot be \"c.pem\""),
        ("ssl sni a.test check-ssl", "this version has no \"check-ssl\" for servers"),
    ])
    func `What a server cannot be is told by name`(words: String, start: String) {
        let found = problems { () throws(WordProblems) in _ = try server(words) }
        #expect(found.contains { $0.hasPrefix(start) }, "\(found)")
    }
}
