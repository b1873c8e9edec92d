import Lab
import Testing

@Suite
struct SpecificationTests {
    @Test
    func `A host's place gives it its addresses`() throws {
        let lab = try LabSpecification(hosts: ["a", "b-2"], executable: "/bin/haven")
        #expect(lab.address(of: "a", on: .service) == "10.99.0.11")
        #expect(lab.address(of: "b-2", on: .heartbeat) == "10.99.1.12")
        #expect(lab.address6(of: "b-2") == "fd48:6176:656e::12")
        #expect(lab.controllerAddress(of: "b-2") == "10.99.2.202")
        #expect(lab.address(of: LabSpecification.client, on: .management) == "10.99.2.100")
    }

    @Test(arguments: [
        [], [""], ["Ctl1"], ["client"], ["a", "a"], ["thirteenchars"], ["-a"], ["a.b"], ["a b"], ["a/b"],
        Array(repeating: "x", count: 33),
    ])
    func `Hosts that cannot be told apart, or whose names do not fit, are refused`(hosts: [String]) {
        #expect(throws: LabError.self) { try LabSpecification(hosts: hosts, executable: "/bin/haven") }
    }

    @Test(arguments: ["..", "a/b", "A", "x y", "a-b", "muchtoolonganame"])
    func `A lab's name cannot leave its directory`(name: String) {
        #expect(throws: LabError.self) { try LabSpecification(name: name, executable: "/bin/haven") }
    }
}
