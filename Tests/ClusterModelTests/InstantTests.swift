import ClusterModel
import Testing

@Suite
struct InstantTests {
    @Test
    func `The first of four moments is the earliest that ever comes`() {
        let (early, late) = (Instant(nanoseconds: 1), Instant(nanoseconds: 2))
        #expect(Instant?.earliest(nil, nil, nil, nil) == nil)
        #expect(Instant?.earliest(late, nil, early, nil) == early)
        #expect(Instant?.earliest(nil, early, nil, late) == early)
        #expect(Instant?.earliest(nil, nil, nil, late) == late)
    }
}
