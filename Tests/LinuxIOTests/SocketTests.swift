import CLinux
import ClusterModel
import LinuxIO
import Testing

@Suite
struct SocketTests {
    private static let loopback = IPAddress(bytes: [127, 0, 0, 1])

    @Test
    func `A datagram arrives with its sender's address`() throws {
        let address = try #require(Self.loopback)
        let one = try DatagramSocket(binding: address, port: 0)
        let two = try DatagramSocket(binding: address, port: 0)
        let twoNumber = two.descriptor.number
        let oneNumber = one.descriptor.number
        var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)
        let early = two.receive(into: &buffer)
        #expect(early == nil)
        let target = try #require(SocketAddress.local(of: twoNumber)?.endpoint)
        one.send([1, 2, 3], to: SocketAddress(target.address, port: target.port))
        var poller = try Poller()
        try poller.add(two.descriptor.number, .read, token: 9)
        var events: [Poller.Event] = []
        let now = Clock.monotonic()
        try poller.wait(until: now + .seconds(5), now: now, into: &events)
        #expect(events.map(\.token) == [9])
        let answer = two.receive(into: &buffer)
        let received = try #require(answer)
        #expect(Array(buffer[..<received.count]) == [1, 2, 3])
        #expect(received.from.endpoint?.port == SocketAddress.local(of: oneNumber)?.endpoint?.port)
    }

    @Test
    func `Of sockets that share a port, the connected one gets its peer's datagrams and the other the rest`() throws {
        let address = try #require(Self.loopback)
        let peer = try DatagramSocket(binding: address, port: 0)
        let stranger = try DatagramSocket(binding: address, port: 0)
        let open = try DatagramSocket(binding: address, port: 0, shared: true)
        let port = try #require(SocketAddress.local(of: open.descriptor.number)?.endpoint?.port)
        let tied = try DatagramSocket(binding: address, port: port, shared: true)
        let peerPort = try #require(SocketAddress.local(of: peer.descriptor.number)?.endpoint?.port)
        try tied.connect(to: address, port: peerPort)
        peer.send([1], to: SocketAddress(address, port: port))
        stranger.send([2], to: SocketAddress(address, port: port))
        var buffer = [UInt8](repeating: 0, count: DatagramSocket.largest)
        let tiedCount = tied.receive(into: &buffer)?.count
        #expect(tiedCount == 1 && buffer[0] == 1)
        let openCount = open.receive(into: &buffer)?.count
        #expect(openCount == 1 && buffer[0] == 2)
    }

    @Test
    func `A file is written whole, never over another, and replaced in one step`() throws {
        let path = "/tmp/haven-file-\(Clock.monotonic().nanoseconds)"
        defer { unlink(path) }
        try DurableFile.create(path, content: [1, 2], mode: 0o600)
        #expect(throws: SystemError.self) { try DurableFile.create(path, content: [3], mode: 0o600) }
        #expect(try Descriptor.open(path, O_RDONLY).read(upTo: 10) == [1, 2])
        try DurableFile.replace(path, content: [4], mode: 0o600)
        #expect(try Descriptor.open(path, O_RDONLY).read(upTo: 10) == [4])
        try DurableFile.remove(path)
        try DurableFile.remove(path)
    }

    @Test
    func `An address that is not here can be bound only freely`() throws {
        let foreign = try #require(IPAddress("192.0.2.1"))
        let endpoint = Endpoint(address: foreign, port: 8080)
        var options = StreamSocket.ListenOptions()
        #expect(throws: SystemError.self) { _ = try StreamSocket.listen(on: endpoint, options).number }
        options.freeBind = true
        #expect(try StreamSocket.listen(on: endpoint, options).number >= 0)
    }

    @Test
    func `A wake-up ends a wait and can be cleared`() throws {
        let wakeUp = try WakeUp()
        var poller = try Poller()
        try poller.add(wakeUp.descriptor.number, .read, token: 1)
        wakeUp.ring()
        var events: [Poller.Event] = []
        let now = Clock.monotonic()
        try poller.wait(until: now + .seconds(5), now: now, into: &events)
        #expect(events.count == 1)
        wakeUp.clear()
        events.removeAll()
        try poller.wait(until: now, now: now, into: &events)
        #expect(events.isEmpty)
    }

    @Test
    func `A reader of the lease word sees what its writer set`() throws {
        let path = "/tmp/haven-lease-\(Clock.monotonic().nanoseconds)"
        let writer = try LeaseWord.create(path: path)
        defer { unlink(path) }
        let reader = try LeaseWord.open(path: path)
        #expect(reader.end == nil)
        writer.end = Instant(nanoseconds: 77)
        #expect(reader.end == Instant(nanoseconds: 77))
        #expect(try LeaseWord.create(path: path).end == Instant(nanoseconds: 77))
    }

    @Test
    func `Errors name the call, its subject and the reason`() {
        #expect(throws: SystemError(call: "open", subject: "/nonexistent/x", code: 2)) {
            _ = try Descriptor.open("/nonexistent/x", 0).number
        }
        #expect(SystemError(call: "open", subject: "/x", code: 2).description == "open /x: No such file or directory")
    }
}
