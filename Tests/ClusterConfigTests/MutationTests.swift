import ClusterConfig
import ClusterModel
import Testing

/// Damaged input is refused or read, and never ends the process.
@Suite
struct MutationTests {
    private let file = """
        cluster: c
        nodes: [{name: n1, addresses: [10.0.0.1]}, {name: n2, addresses: ["2001:db8::2"]}]
        properties: {arbiter: "192.0.2.1,::2", stonith-timeout: 1m, self-fence: none, stonith-check-interval: 1m, stonith-watchdog-timeout: 9s}
        resources:
          - {name: A, agent: process, parameters: {command: "/x 'y z' \\\\ w", env.K: v}, meta: {requires: lease}}
          - name: V
            agent: IPaddr2
            parameters: {ip: 10.0.0.9, cidr_netmask: 24}
            operations: {monitor: {interval: 10s, timeout: 5s}}
        constraints: {colocation: [{resource: V, with: A, score: 5}]}
        stonith: [{name: d, agent: fence_x, secrets: {password: "@/p"}, nodes: {n1: 1}}]
        listeners:
          - {name: l, bind: ["10.0.0.9:80"], mode: http, cookie: S insert, servers: ["s 10.0.0.1:80 check"]}
          - name: m
            bind: 10.0.0.9:81
            httpchk: GET / HTTP/1.1
            http-check: [send hdr Host a hdr X "a\\ b" body x, 'expect ! rstring "(a|b)+[^c]{1,3}$"', disable-on-404]
            servers: [s 10.0.0.1:80 check agent-check agent-port 9 observe layer4 on-error fastinter]
          - {name: n, bind: "10.0.0.9:82", tcp-check: "send-binary 0aff; expect rstring ^\\\\d", servers: ["t 10.0.0.2:1 track m/s"]}
        """

    @Test(arguments: 0..<8)
    func `Mutated files are read or refused with a place inside the file`(seed: UInt64) throws {
        _ = try ClusterDocument(yaml: file)
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]:,-#&*!|>'\"%@` \n\taA0\\~?".utf8) + [0, 0xC3, 0xFF]
        for _ in 0..<60 {
            var bytes = Array(file.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[at] = byte
                case 1: bytes.insert(byte, at: at)
                default: bytes.remove(at: at)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let lines = text.unicodeScalars.count { $0 == "\n" } + 2
            do throws(Diagnostics) {
                let document = try ClusterDocument(yaml: text)
                #expect(document.configuration.nodes.isEmpty || document.configuration.validate().isEmpty)
            } catch {
                #expect(!error.list.isEmpty)
                #expect(error.list.allSatisfy { (1...lines).contains($0.position.line) && $0.position.column >= 1 })
            }
        }
    }
}
