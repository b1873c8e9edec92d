public import ClusterModel
public import Consensus

extension Simulator {
    // MARK: Machines

    /// Cuts a machine's power: what runs there ends, what was not on the disk is lost.
    public mutating func powerOff(_ node: NodeID) {
        guard let index = index(of: node), nodes[index].machine != nil else { return }
        endAgent(index)
        nodes[index].machine = nil
        nodes[index].leaseWord = nil
        note(index, "loses power")
    }

    /// Switches a machine on; its agent starts.
    public mutating func powerOn(_ node: NodeID) {
        guard let index = index(of: node), nodes[index].machine == nil else { return }
        nodes[index].machine = App.powerOn(node)
        queue.insert(.start(index), at: now)
    }

    /// Kills an agent; the machine and its lease go on.
    public mutating func killAgent(_ node: NodeID) {
        guard let index = index(of: node), nodes[index].agent != nil else { return }
        endAgent(index)
        note(index, "its agent is killed")
    }

    /// Starts the agent of a machine that has none.
    public mutating func startAgent(_ node: NodeID) {
        guard let index = index(of: node) else { return }
        queue.insert(.start(index), at: now)
    }

    mutating func endAgent(_ index: Int) {
        nodes[index].agent = nil
        nodes[index].pause = nil
        let waiting = nodes[index].disk.waiting.count
        nodes[index].disk.crash(surviving: waiting == 0 ? 0 : Int.random(in: 0...waiting, using: &random))
    }

    /// Stops an agent from running for a while; its clock goes on.
    public mutating func pause(_ node: NodeID, for duration: Duration) {
        guard let index = index(of: node), nodes[index].agent != nil, nodes[index].pause == nil else { return }
        let until = now + duration.nanoseconds
        nodes[index].pause = (now, until)
        queue.insert(.resume(index, nodes[index].disk.incarnation), at: until)
        note(index, "is paused")
    }

    /// Makes a disk forty times slower, or as it was.
    public mutating func setDiskSlow(_ node: NodeID, _ isSlow: Bool) {
        guard let index = index(of: node) else { return }
        nodes[index].isDiskSlow = isSlow
        note(index, isSlow ? "its disk is slow" : "its disk is fast again")
    }

    // MARK: Network

    /// Cuts every link between nodes of different groups.
    public mutating func partition(_ groups: [[NodeID]]) {
        network.partition(groups)
        let text = groups.map { group in group.map { String($0.rawValue) }.joined(separator: ",") }
        note(nil, "partition \(text.joined(separator: " | "))")
    }

    /// Cuts one direction between two nodes.
    public mutating func cut(from: NodeID, to: NodeID) {
        network.cut(from: from, to: to)
        note(nil, "n\(from.rawValue) reaches n\(to.rawValue) no more")
    }

    /// Cuts both directions between two nodes.
    public mutating func cut(between left: NodeID, and right: NodeID) {
        network.partition([[left], [right]])
        note(nil, "link n\(left.rawValue)-n\(right.rawValue) is cut")
    }

    /// Whether one direction between two nodes is cut.
    public func isCut(from: NodeID, to: NodeID) -> Bool { network.isCut(from: from, to: to) }

    /// Restores every link.
    public mutating func heal() {
        network.heal()
        note(nil, "all links work")
    }

    /// Makes the network better or worse.
    public mutating func setNetwork(_ quality: NetworkQuality) { network.quality = quality }

    // MARK: Requests

    /// Gives an input to a node's core, as its agent would; nothing happens where none runs.
    public mutating func give(_ node: NodeID, _ input: Input) {
        guard let index = index(of: node), nodes[index].agent != nil, nodes[index].pause == nil else { return }
        feed(index, input)
    }

    /// Proposes a fresh command on a node.
    public mutating func propose(on node: NodeID) {
        let number = nextProposal()
        give(node, .propose((0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }, token: number))
    }

    /// Makes a node take a snapshot of what it has applied.
    public mutating func compact(_ node: NodeID) {
        guard let index = index(of: node), let agent = nodes[index].agent else { return }
        give(node, .snapshot(upTo: agent.core.commitIndex, data: agent.application.snapshot()))
    }

    // MARK: Looking

    /// A node as an observer sees it.
    public func inspect(_ node: NodeID) -> NodeInspection<App>? {
        index(of: node).map { nodes[$0].inspection(at: now) }
    }

    /// The nodes that believe that they lead.
    public var leaders: [NodeID] { nodes.filter { $0.agent?.core.role == .leader }.map(\.id) }

    /// The term of each node.
    public var terms: [Term] { nodes.map { $0.agent?.core.term ?? 0 } }

    /// The highest index that was ever committed.
    public var decidedIndex: LogIndex { invariants.decidedIndex }

    /// Whether every node runs and has applied everything up to an index.
    public func everyoneKnows(_ index: LogIndex) -> Bool {
        nodes.allSatisfy { ($0.agent?.core.commitIndex ?? 0) >= index && $0.pause == nil }
    }
}
