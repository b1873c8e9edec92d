import ClusterModel
import Testing

@Suite
struct ProtocolLevelTests {
    private static func offer(_ oldest: UInt8, _ newest: UInt8, cluster: UInt8 = 1) throws -> LevelOffer {
        try #require(LevelOffer(oldest: oldest, newest: newest, cluster: cluster))
    }

    @Test(
        arguments: [
            (1, 1, 1, 1, 1), (1, 2, 1, 1, 1), (1, 2, 1, 2, 2), (1, 2, 2, 3, 2), (2, 3, 2, 4, 3),
            // Two versions apart.
            (1, 1, 2, 3, nil), (1, 2, 3, 4, nil),
        ] as [(UInt8, UInt8, UInt8, UInt8, UInt8?)]
    )
    func `Two nodes talk at the newest level that both speak, whoever asks`(
        oldest: UInt8,
        newest: UInt8,
        otherOldest: UInt8,
        otherNewest: UInt8,
        expected: UInt8?
    ) throws {
        let (one, two) = (try Self.offer(oldest, newest), try Self.offer(otherOldest, otherNewest))
        #expect(one.common(with: two) == expected)
        #expect(two.common(with: one) == expected)
    }

    @Test
    func `Nobody is talked to below the level of the cluster, whichever side knows it`() throws {
        let (old, new) = (try Self.offer(1, 1), try Self.offer(1, 2, cluster: 2))
        #expect(old.common(with: new) == nil)
        #expect(new.common(with: old) == nil)
        #expect(new.common(with: try Self.offer(1, 2)) == 2)
    }

    /// What a node of level 1 would read over is not written before every node can read it.
    @Test
    func `A configuration needs the level of what its listeners say`() throws {
        func level(_ change: (inout Listener) -> Void) -> UInt8 {
            var listener = Listener(name: "web", binds: [], mode: .http)
            listener.cookie = CookiePersistence(name: "SRV", indirect: true, noCache: false)
            listener.httpCheck = HTTPCheck(method: "GET", uri: "/health")
            change(&listener)
            var configuration = ClusterConfiguration(name: "c", nodes: [])
            configuration.listeners = [listener]
            return Change.configure(expected: 1, configuration).level
        }
        #expect(level { _ in } == 1)
        #expect(level { $0.tls = ListenerTLS(certificates: ["/a.pem"]) } == 2)
        #expect(level { $0.cookie?.httpOnly = true } == 2)
        #expect(level { $0.httpCheck?.disableOn404 = true } == 2)
        #expect(level { $0.persist = true } == 2)
        let endpoint = try #require(Endpoint("10.0.0.1:80"))
        #expect(level { $0.servers = [Server(name: "s", endpoint: endpoint)] } == 1)
        #expect(
            level {
                var server = Server(name: "s", endpoint: endpoint)
                server.check = ServerCheck()
                server.check?.fastInter = 500
                $0.servers = [server]
            } == 2
        )
    }

    @Test
    func `A range that is none cannot be stated`() {
        #expect(LevelOffer(oldest: 0, newest: 1, cluster: 1) == nil)
        #expect(LevelOffer(oldest: 3, newest: 2, cluster: 1) == nil)
        #expect(LevelOffer(oldest: 1, newest: 2, cluster: 0) == nil)
    }

    @Test
    func `An objection names both ranges and says where to install what`() throws {
        let (old, new) = (try Self.offer(1, 1), try Self.offer(2, 3))
        #expect(
            new.objection(to: old, of: "n3")
                == "n3 speaks level 1 of the protocol and this node levels 2 to 3, so they do not understand each other: "
                + "install a newer version of Haven on n3, and skip none"
        )
        #expect(old.objection(to: new, of: "n1").contains("install a newer version of Haven on this node"))
        let raised = try Self.offer(1, 2, cluster: 2)
        #expect(
            raised.objection(to: old, of: "n3")
                == "n3 speaks level 1 of the protocol and this node levels 1 to 2, and the cluster is at level 2: n3 takes no part "
                + "until a newer version of Haven is installed there"
        )
        #expect(
            old.objection(to: raised, of: "n1")
                == "n1 is in a cluster of level 2, and this node speaks level 1 of the protocol at most, while the cluster "
                + "is at level 2: install the version of Haven that the other nodes have"
        )
    }

    @Test
    func `A machine joins only if it speaks the cluster's level`() throws {
        let raised = LevelOffer(speaking: 2, cluster: 2)
        #expect(raised.objection(toJoiner: LevelOffer(speaking: 2).joining) == nil)
        #expect(
            raised.objection(toJoiner: LevelOffer(speaking: 1).joining)
                == "the machine speaks level 1 of the protocol, while the cluster is at level 2 and its nodes speak levels 1 to 2: "
                + "install the version of Haven that they have"
        )
        // Of the time before levels, and nonsense.
        #expect(raised.objection(toJoiner: []) != nil)
        #expect(raised.objection(toJoiner: [0, 0]) != nil)
        #expect(raised.objection(toJoiner: [9, 2]) != nil)
        #expect(LevelOffer(speaking: 2).objection(toJoiner: []) == nil)
    }

    @Test
    func `The cluster's level goes up and never down`() {
        var state = ClusterState(configuration: ClusterConfiguration(name: "c", nodes: []))
        #expect(state.protocolLevel == 1)
        var levels: [UInt8] = []
        for level in [1, 2, 1, 0, 2] as [UInt8] {
            _ = state.apply(Command(change: .raiseLevel(level), proposedAt: 0))
            levels.append(state.protocolLevel)
        }
        #expect(levels == [1, 2, 2, 2, 2])
        // Operators have changed nothing.
        #expect(state.operatorChanges == nil)
    }

    @Test
    func `The entry that raises the level can be read by those who are below it`() {
        #expect(Change.raiseLevel(2).level == 1)
        #expect(Change.historyGaveWay(7).level == 2)
    }
}
