import ClusterModel
import Testing

@testable import ResourceRunner

@Suite
struct RecordTests {
    @Test
    func `A record is read as it was written`() {
        let identity = ProcessRecord.Identity(pid: 4711, startTime: 99_000_000_000)
        for record in [ProcessRecord(resource: "a", process: nil), ProcessRecord(resource: "a", process: identity)] {
            #expect(ProcessRecord(resource: "a", parsing: record.encoded) == record)
        }
    }

    @Test(arguments: [
        "", "haven-process-1", "haven-process-2 starting\n", "haven-process-1 1 5\n", "haven-process-1 -1 5\n",
        "haven-process-1 5 x\n", "haven-process-1 5 6 7\n",
    ])
    func `Anything else is no record`(text: String) {
        #expect(ProcessRecord(resource: "a", parsing: Array(text.utf8)) == nil)
    }
}
