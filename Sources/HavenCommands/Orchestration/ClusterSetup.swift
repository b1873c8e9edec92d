public import ClusterModel

/// Setting a cluster up on all of its machines from one of them.
public enum ClusterSetup {
    /// Whether it is there; what is not is left out of the help.
    static let isAvailable = false

    /// What was asked for.
    public struct Plan: Hashable, Sendable {
        /// One machine.
        public struct Machine: Hashable, Sendable {
            /// Its name.
            public var name: NodeName
            /// Its heartbeat addresses; empty to look its name up.
            public var addresses: [IPAddress]
        }

        /// The cluster's name.
        public var name: String
        /// The machines, in the order of their numbers.
        public var machines: [Machine]
        /// Whether to start the agents afterwards.
        public var start: Bool
        /// The remote shell with its options; never empty.
        public var remoteShell: [String]

        /// Reads `[NAME] NODE[=ADDRESS[,ADDRESS]] …`; the name stands first unless it is given apart.
        public init(name: String?, words: [String], start: Bool, remoteShell: [String]) throws(CommandFailure) {
            var nodes = words
            guard let first = name ?? nodes.first else {
                throw CommandFailure(
                    .usage,
                    "give a name and nodes: haven cluster setup openstack controller1 controller2"
                )
            }
            if name == nil { nodes.removeFirst() }
            self.name = first
            self.start = start
            self.remoteShell = remoteShell.isEmpty ? ["ssh"] : remoteShell
            machines = []
            for word in nodes { machines.append(try Self.machine(word)) }
            try check()
        }

        private static func machine(_ word: String) throws(CommandFailure) -> Machine {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts[0] == "addr", parts.count == 2 {
                throw CommandFailure(.usage, "give the address with the node's name, as in controller1=\(parts[1])")
            }
            var addresses: [IPAddress] = []
            for text in parts.dropFirst().flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
                guard let address = IPAddress(String(text)) else {
                    throw CommandFailure(.usage, "node \"\(parts[0])\": \"\(text)\" is no IP address")
                }
                addresses.append(address)
            }
            return Machine(name: parts[0], addresses: addresses)
        }

        private func check() throws(CommandFailure) {
            if let violation = NameRule.violation(name) {
                throw CommandFailure(.usage, "the cluster's name: \(violation)")
            }
            if machines.isEmpty {
                throw CommandFailure(.usage, "no nodes are named; give them after the name \"\(name)\"")
            }
            if machines.count > ConfigurationLimits.nodes {
                throw CommandFailure(
                    .usage,
                    "\(machines.count) nodes are more than the limit of \(ConfigurationLimits.nodes)"
                )
            }
            var names = Set<NodeName>()
            var owners: [IPAddress: NodeName] = [:]
            for machine in machines {
                if let violation = NameRule.violation(machine.name) {
                    throw CommandFailure(.usage, "a node: \(violation)")
                }
                if !names.insert(machine.name).inserted {
                    throw CommandFailure(.usage, "node \"\(machine.name)\" is named twice")
                }
                for address in machine.addresses {
                    if let other = owners.updateValue(machine.name, forKey: address) {
                        throw CommandFailure(.usage, "\(address) is given for \"\(other)\" and for \"\(machine.name)\"")
                    }
                }
            }
        }
    }

    /// Sets the cluster up; progress goes to the session, one line a node.
    static func run(_ plan: Plan, _ session: Session) throws(CommandFailure) {
        throw CommandFailure(.failed, "haven cluster setup is not in this version yet")
    }
}
