/// A place in a configuration, fine enough to find its line in a file.
public struct ConfigurationPlace: Hashable, Sendable, CustomStringConvertible {
    /// A part of `ClusterConfiguration`.
    public enum Section: String, Hashable, Sendable {
        /// The cluster's name.
        case name
        /// The machines.
        case nodes
        /// Cluster-wide settings.
        case properties
        /// What is started, stopped and monitored.
        case resources
        /// Preferences for nodes.
        case locations
        /// What runs together or apart.
        case colocations
        /// How nodes are powered off.
        case fenceDevices
        /// What clients connect to.
        case listeners
    }

    /// The part.
    public var section: Section
    /// The position in the part's list; nil for the part as a whole.
    public var index: Int?
    /// The position of a server in its listener.
    public var server: Int?
    /// The property in question, as the configuration file spells it; nil for the whole element.
    public var field: String?
    /// What operators call the element, such as `resource "VIP"`.
    public var label: String

    /// Names a place.
    public init(_ section: Section, index: Int? = nil, server: Int? = nil, field: String? = nil, label: String) {
        self.section = section
        self.index = index
        self.server = server
        self.field = field
        self.label = label
    }

    /// The same element, at one of its properties.
    public func at(_ field: String) -> ConfigurationPlace {
        var place = self
        place.field = field
        return place
    }

    /// The label.
    public var description: String { label }
}

/// Something in a configuration that cannot be.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// Where.
    public var place: ConfigurationPlace
    /// What is wrong.
    public var text: String
    /// What to do about it; empty where `text` says it already.
    public var remedy: String

    /// States a problem.
    public init(_ place: ConfigurationPlace, _ text: String, remedy: String = "") {
        self.place = place
        self.text = text
        self.remedy = remedy
    }

    /// `resource "VIP": prefix 99 is not within 1 to 32; give cidr_netmask as a number of bits`.
    public var description: String { "\(place): \(text)\(remedy.isEmpty ? "" : "; \(remedy)")" }
}
