import AdminAPI
import ClusterModel
import Lab
import Testing

extension IntegrationTests {
    /// Persistence on a whole cluster.
    @Suite(.serialized, .lab("itcookie"))
    struct CookieTests {
        private static let address = TestCluster.virtualAddress

        @Test
        func `A computed cookie leads to its server through every node's proxy, and each says why`() throws {
            let cluster = try TestCluster.current()
            let active = try configure(cluster)
            var cookies: [String: String] = [:]
            try cluster.wait("each server has given its cookie") {
                if let answer = try ask(cluster), let cookie = answer.cookie { cookies[answer.server] = cookie }
                return cookies.count == 3
            }
            #expect(Set(cookies.values).count == 3 && cookies.values.allSatisfy { $0.utf8.count == 20 }, "\(cookies)")
            let shown = try cluster.haven("ctl1", "lb", "listener", "config", "web", "--json")
            #expect(shown.contains("\"dynamicKey\" : \"****\""), "\(shown)")
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            try cluster.haven("ctl1", "resource", "move", "VirtualIP", other)
            for (server, cookie) in cookies {
                let answer = try #require(try ask(cluster, cookie))
                #expect(answer.server == server && answer.cookie == nil)
            }
            let why = try cluster.haven(other, "lb", "why", "web", "--last", "3")
            #expect(why.hasPrefix("Seen by \(other)\n  web: cookies V 3; in responses N 3\n"), "\(why)")
            #expect(why.split(separator: "\n").count { $0.contains(" 200 cookie VN ") } == 3, "\(why)")
            let before = try cluster.haven(active, "lb", "why", "--last", "1000")
            #expect(before.contains(" noCookie NI "), "\(before)")
        }

        /// The server that answered a request, and the cookie that it came with; nil for no answer.
        private func ask(_ cluster: TestCluster, _ cookie: String? = nil) throws -> (server: String, cookie: String?)? {
            let options = ["--include"] + (cookie.map { ["--header", "Cookie: \($0)"] } ?? [])
            guard let text = try cluster.fetch("http://\(Self.address)/", options),
                let body = text.split(separator: "\r\n").last, body.hasPrefix("dashboard of ")
            else { return nil }
            let line = text.split(separator: "\r\n").first { $0.hasPrefix("Set-Cookie: ") }
            let set = line.map { String($0.dropFirst("Set-Cookie: ".count).prefix { $0 != ";" }) }
            return (String(body.dropFirst("dashboard of ".count)), set)
        }

        private func configure(_ cluster: TestCluster) throws -> String {
            try WebServers.start(on: cluster)
            try cluster.createAddress(Self.address)
            try cluster.haven(
                "ctl1",
                "lb",
                "listener",
                "create",
                "web",
                "bind=\(Self.address):80",
                "mode=http",
                "cookie=SRV insert indirect nocache dynamic"
            )
            for (index, name) in ["ctl1", "ctl2", "ctl3"].enumerated() {
                try cluster.haven("ctl1", "lb", "server", "add", "web", name, "10.99.0.\(11 + index):80", "check")
            }
            let status = try cluster.waitUntil("the address is somewhere", on: "ctl1") {
                $0.place(of: "VirtualIP") != nil
            }
            try cluster.wait("the service answers") { try ask(cluster) != nil }
            return try #require(status.place(of: "VirtualIP"))
        }
    }
}
