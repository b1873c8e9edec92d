import ClusterModel

/// What happened, in words, if anybody wants to read it: sentences are not even made otherwise.
final class Story {
    let isWanted: Bool
    private var transcript: Transcript

    init(lines: Int) {
        isWanted = lines > 0
        transcript = Transcript(limit: lines)
    }

    func add(_ time: TrueTime, _ node: NodeID?, _ text: String) { transcript.add(time, node, text) }

    var last: [String] { transcript.last }

    func take() -> [String] { transcript.take() }
}
