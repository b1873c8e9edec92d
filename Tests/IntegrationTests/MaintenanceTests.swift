import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// What an operator asks the cluster to leave alone.
    @Suite(.serialized, .lab("itmaint"), .timeLimit(.minutes(5)))
    struct MaintenanceTests {
        @Test
        func `The cluster leaves alone what the operator looks after, and takes it up again`() throws {
            let cluster = try TestCluster.current()
            for number in 1...3 {
                try cluster.haven(
                    "ctl1",
                    "stonith",
                    "create",
                    "ipmi-ctl\(number)",
                    "fence_ipmilan",
                    "lanplus=1",
                    "cipher=3",
                    "ip=10.99.2.20\(number)",
                    "username=haven",
                    "password=@/etc/haven-lab/ctl\(number).password",
                    "pcmk_host_list=ctl\(number)"
                )
            }
            try cluster.haven("ctl1", "resource", "create", "App", "process", "command=/bin/sleep 86400")
            let place = try #require(
                try cluster.waitUntil("App runs", on: "ctl1") { $0.place(of: "App") != nil }.place(of: "App")
            )
            let other = place == "ctl1" ? "ctl2" : "ctl1"
            try dieInMaintenance(cluster, place, other)
            try stayUnmanaged(cluster, place, other)
            try loseNode(cluster, place, other)
        }

        private func dieInMaintenance(_ cluster: TestCluster, _ place: String, _ other: String) throws {
            try cluster.haven(other, "property", "set", "maintenance-mode=true")
            try cluster.shell(place, "pkill -KILL -x sleep")
            try cluster.waitUntil("its death is told", on: place) {
                $0.resource("App").map { !$0.failures.isEmpty && !$0.managed } == true
            }
            #expect(try cluster.run(place, ["pgrep", "-x", "sleep"]).output.text.isEmpty)
            let text = try cluster.haven(other, "status")
            #expect(text.contains("maintenance-mode=true") && text.contains("(unmanaged)"))
            try cluster.refused(1, other, "resource", "move", "App", other)
            try cluster.haven(other, "property", "set", "maintenance-mode=false")
            try cluster.waitUntil("it is started again", on: other) { $0.place(of: "App") == place }
            try cluster.haven(other, "resource", "cleanup", "App")
        }

        private func stayUnmanaged(_ cluster: TestCluster, _ place: String, _ other: String) throws {
            let process = try cluster.shell(place, "pgrep -x sleep")
            try cluster.haven(other, "resource", "unmanage", "App")
            try cluster.haven(other, "node", "standby", place)
            // Decided after the change above, so that the leader has looked at App since.
            try cluster.haven(other, "resource", "create", "Mark", "process", "command=/bin/cat /dev/zero")
            try cluster.waitUntil("something else runs", on: other) { $0.place(of: "Mark") != nil }
            #expect(try cluster.shell(place, "pgrep -x sleep") == process)
            try cluster.haven(other, "resource", "delete", "Mark")
            try cluster.haven(other, "node", "unstandby", place)
            try cluster.haven(other, "resource", "manage", "App")
            let status = try cluster.waitUntil("App is managed", on: other) { $0.resource("App")?.managed == true }
            #expect(status.place(of: "App") == place)
            #expect(try cluster.shell(place, "pgrep -x sleep") == process)
        }

        private func loseNode(_ cluster: TestCluster, _ place: String, _ other: String) throws {
            try cluster.haven(other, "node", "maintenance", place)
            #expect(try cluster.haven(other, "status").contains("Maintenance: [ \(place) ]"))
            try cluster.lab.power(.off, place)
            try cluster.waitUntil("it is lost", on: other) { $0.state(of: place) == .lost }
            let status = try #require(cluster.status(other))
            #expect(status.fence(of: place) == nil && status.resource("App")?.state == .blocked)
            try cluster.haven(other, "node", "unmaintenance", place)
            try cluster.waitUntil("it is powered off, and App is elsewhere", on: other) {
                $0.fence(of: place)?.outcome == .verified && $0.place(of: "App").map { $0 != place } == true
            }
        }
    }
}
