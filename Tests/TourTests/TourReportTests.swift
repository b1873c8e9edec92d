import Foundation
import Testing

@testable import Tour

@Suite
struct TourReportTests {
    private func report(_ change: (inout StepResult) -> Void = { _ in }) -> TourReport {
        var report = TourReport()
        for step in StepName.allCases {
            var result = StepResult(step)
            result.web = 40
            result.solo = 90
            change(&result)
            report.results.append(result)
        }
        return report
    }

    @Test
    func `Two owners are never allowed, not even while an agent hangs`() {
        #expect(report().objections == [])
        for step in StepName.allCases {
            let objections = report { if $0.step == step { $0.doubleOwner = 5 } }.objections
            #expect(objections == ["\(step.rawValue): two owners of the address for 5 ms"])
        }
    }

    @Test
    func `A lost session, a wrong answer and a step that was not reached spoil the verdict`() {
        #expect(report { if $0.step == .standby { $0.lostSessions = 2 } }.objections.count == 1)
        #expect(report { if $0.step == .return { $0.wrong = ["web status-503"] } }.objections.count == 1)
        #expect(report { $0.movedSessions = 3 }.objections == [])
        #expect(TourReport().objections.count == StepName.allCases.count)
    }

    @Test
    func `The file has a line per step with medians over runs, the process's outage where that is the step`() throws {
        var twice = report()
        twice.results += report { if $0.step == .powerOff { ($0.web, $0.fence) = (60, 2000) } }.results
        let data = Data(try twice.json().utf8)
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let steps = try #require(file["steps"] as? [[String: Any]])
        #expect(file["wrong_answers"] as? Int == 0)
        #expect(steps.map { $0["name"] as? String } == StepName.allCases.map(\.rawValue))
        let power = try #require(steps.first { $0["name"] as? String == "power-off" })
        #expect(power["runs"] as? Int == 2)
        #expect(power["outage_ms_median"] as? Double == 50 && power["outage_ms_max"] as? Double == 60)
        #expect(power["fence_ms"] as? Double == 2000 && power["double_owner_ms"] as? Double == 0)
        let death = try #require(steps.first { $0["name"] as? String == "process-death" })
        #expect(death["outage_ms_median"] as? Double == 90 && death["fence_ms"] is NSNull)
    }

    @Test
    func `The table has a line per step and lines up`() {
        let lines = report().table.split(separator: "\n")
        #expect(lines.count == StepName.allCases.count + 1)
        #expect(Set(lines.map(\.count)).count == 1)
    }
}
