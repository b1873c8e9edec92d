import ClusterConfig
import ClusterModel
import Foundation
import Testing

@Suite
struct ShippedFilesTests {
    private func read(_ name: String) throws -> ClusterDocument {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "cluster-configs/\(name)"), encoding: .utf8)
        do throws(Diagnostics) {
            return try ClusterDocument(yaml: text)
        } catch {
            Issue.record("\(error.text(file: name))")
            throw error
        }
    }

    @Test
    func `The lab's two controllers are what its transcript types`() throws {
        let configuration = try read("lab-two-controllers.yaml").configuration
        let typed = try ResourceWords.parse(
            name: "VirtualIP",
            agent: "IPaddr2",
            words: ["ip=192.168.0.30", "cidr_netmask=24"]
        )
        #expect(configuration.resources == [typed])
        #expect(!configuration.properties.stonithEnabled)
        #expect(configuration.listeners.map(\.name) == ["horizon", "keystone-admin", "keystone-public"])
        var horizon = try ListenerWords.parse(
            name: "horizon",
            words: [
                "bind=192.168.0.30:80", "mode=http", "cookie=SERVERID insert indirect nocache", "timeout-connect=10s",
                "timeout-client=180s",
            ]
        )
        for number in 1...2 {
            let words = "192.168.0.\(9 + number):80 cookie controller\(number) check inter 1s".split(separator: " ")
            horizon.servers.append(try ServerWords.parse(name: "controller\(number)", words: words.map(String.init)))
        }
        #expect(configuration.listeners.first == horizon)
    }

    @Test
    func `The lab's file is what the README's tour types, and one listener more`() throws {
        let configuration = try read("lab.yaml").configuration
        #expect(configuration.nodes.map(\.name) == ["ctl1", "ctl2", "ctl3"])
        #expect(configuration.resources.map(\.name) == ["VirtualIP", "App"])
        #expect(configuration.fenceDevices.map(\.name) == ["ipmi-ctl1", "ipmi-ctl2", "ipmi-ctl3"])
        #expect(configuration.listeners.map(\.name) == ["horizon", "horizon-tcp"])
        #expect(configuration.listeners.allSatisfy { $0.servers.count == 3 })
    }

    @Test
    func `Three controllers have every service with its check`() throws {
        let document = try read("three-controllers.yaml")
        let configuration = document.configuration
        let ports = Dictionary(
            uniqueKeysWithValues: configuration.listeners.map { ($0.name, Int($0.binds[0].port)) }
        )
        #expect(
            ports == [
                "keystone-public": 5000, "keystone-admin": 35357, "glance-api": 9292, "nova-api": 8774,
                "neutron-server": 9696, "cinder-api": 8776, "heat-api": 8004, "horizon": 80, "novncproxy": 6080,
                "galera": 3306,
            ]
        )
        for listener in configuration.listeners {
            #expect(listener.servers.count == 3)
            #expect(listener.servers.allSatisfy { $0.check != nil })
        }
        let galera = configuration.listener(named: "galera")
        #expect(galera?.mode == .tcp)
        #expect(galera?.httpCheck?.expectStatus == [StatusRange(200, 200)])
        #expect(galera?.servers.allSatisfy { $0.check?.port == 9200 } == true)
        #expect(configuration.listener(named: "horizon")?.cookie == CookiePersistence(name: "SERVERID"))
        #expect(document.secrets.count == 3)
        #expect(configuration.nodes.allSatisfy { configuration.fenceDevices(for: $0.name).count == 1 })
    }

    @Test(arguments: ["lab-two-controllers.yaml", "three-controllers.yaml"])
    func `What is read is written and read again the same`(name: String) throws {
        let document = try read(name)
        let configuration = document.resolved { _, _, _ in .masked }
        let again = try ClusterDocument(yaml: ClusterYAML.text(configuration)).resolved { _, _, _ in .masked }
        #expect(again == configuration)
        #expect(ConfigurationDifference.between(configuration, again).isEmpty)
    }
}
