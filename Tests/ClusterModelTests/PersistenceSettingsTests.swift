import ClusterModel
import Foundation
import Testing

/// Cookies, retries and slow starts in the configuration.
@Suite
struct PersistenceSettingsTests {
    private func problems(_ change: (inout Listener) -> Void) -> [String] {
        var configuration = exampleConfiguration()
        change(&configuration.listeners[0])
        return configuration.validate().map(\.description)
    }

    @Test
    func `Everything that can be set is valid together`() {
        let found = problems {
            $0.cookie?.postOnly = true
            $0.cookie?.preserve = true
            $0.cookie?.httpOnly = true
            $0.cookie?.secure = true
            $0.cookie?.domains = [".ex.test", "b.test"]
            $0.cookie?.attributes = ["SameSite=Lax"]
            $0.cookie?.maxIdle = 1_800_000
            $0.cookie?.maxLife = 28_800_000
            $0.cookie?.dynamic = true
            $0.redispatchInterval = -2
            $0.retryOn = RetryWord.allCases
            $0.reuse = .safe
            $0.persist = true
            $0.servers[0].slowStart = 60_000
        }
        #expect(found.isEmpty, "\(found)")
    }

    @Test(arguments: [CookieMode.rewrite, .prefix, .passive])
    func `Words about cookies of the proxy need a mode that makes some`(mode: CookieMode) {
        let found = problems {
            $0.cookie = CookiePersistence(name: "S", indirect: false, noCache: true)
            $0.cookie?.mode = mode
            $0.cookie?.maxIdle = 1000
        }
        #expect(found.count == 2, "\(found)")
        let expected = "nocache is about cookies that the proxy makes, and mode \(mode.rawValue) makes none"
        #expect(found.contains { $0.hasSuffix("\(expected); give insert or leave nocache out") }, "\(found)")
    }

    @Test
    func `What does not fit together is told`() {
        let rewriting = problems {
            $0.cookie = CookiePersistence(name: "S", indirect: true, noCache: false)
            $0.cookie?.mode = .rewrite
        }
        #expect(rewriting.count == 1 && rewriting[0].contains("rewrite and indirect exclude each other"))
        let preserving = problems {
            $0.cookie = CookiePersistence(name: "S", indirect: false, noCache: false)
            $0.cookie?.mode = .prefix
            $0.cookie?.preserve = true
        }
        #expect(preserving.count == 1 && preserving[0].contains("preserve needs insert or indirect"))
        let odd = problems {
            $0.cookie?.maxLife = 10
            $0.cookie?.attributes = ["a;b", ""]
            $0.cookie?.domains = Array(repeating: "x.y", count: 9)
            $0.redispatchInterval = 0
            $0.retryOn = [.status503, .status503]
            $0.servers[0].slowStart = 0
            $0.servers[1].cookie = "a|b"
        }
        #expect(odd.count == 8, "\(odd)")
        let tcp = problems {
            $0.mode = .tcp
            $0.cookie = nil
            $0.forwardFor = false
            for index in $0.servers.indices { $0.servers[index].cookie = nil }
            $0.retryOn = [.connectionFailure, .status503]
            $0.reuse = .never
            $0.persist = true
        }
        #expect(tcp.count == 3, "\(tcp)")
    }

    @Test
    func `A configuration that was stored before is read as it was`() throws {
        let new = exampleConfiguration()
        let text = String(decoding: try JSONEncoder().encode(new), as: UTF8.self)
        for word in ["persist", "retryOn", "slowStart", "dynamic", "maxIdle", "redispatchInterval", "reuse"] {
            #expect(!text.contains("\"\(word)"), "what is not set is not stored, as it was")
        }
        let read = try JSONDecoder().decode(ClusterConfiguration.self, from: Data(text.utf8))
        #expect(read.listeners == new.listeners)
    }

    @Test
    func `The key of computed cookies stays, whatever an operator's file says of it, and goes with them`() throws {
        var stored = exampleConfiguration()
        stored.listeners[0].cookie?.dynamic = true
        #expect(stored.listenersWithoutKey == [0])
        stored.listeners[0].cookie?.dynamicKey = Secret("key")
        #expect(stored.listenersWithoutKey.isEmpty)
        for key in [nil, Secret.masked] {
            var file = stored
            file.listeners[0].cookie?.dynamicKey = key
            file.listeners[0].maxConnections = 7
            let merged = try stored.applying(.replaceAll(file))
            #expect(merged.listeners[0].cookie?.dynamicKey == Secret("key") && merged.listeners[0].maxConnections == 7)
            let replaced = try stored.applying(.replaceListener(file.listeners[0]))
            #expect(replaced.listeners[0].cookie?.dynamicKey == Secret("key"))
        }
        var plain = stored
        plain.listeners[0].cookie?.dynamic = nil
        #expect(try stored.applying(.replaceAll(plain)).listeners[0].cookie?.dynamicKey == nil)
        let text = String(decoding: try JSONEncoder().encode(stored), as: UTF8.self)
        #expect(text.contains("\"dynamicKey\":\"****\""))
    }
}
