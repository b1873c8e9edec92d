internal import LinuxIO

/// Why something in the lab could not be done, as a sentence for the operator.
public enum LabError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The lab needs network and mount namespaces.
    case notRoot
    /// A word that cannot be accepted.
    case invalid(String)
    /// There is no lab of that name.
    case notUp(lab: String)
    /// There is one already.
    case alreadyUp(lab: String)
    /// No such host.
    case unknownHost(String, known: [String])
    /// The host is off.
    case isOff(host: String)
    /// ^C, or a request to end.
    case interrupted
    /// A tool or a system call failed.
    case failed(String)

    /// The text form.
    public var description: String {
        switch self {
        case .notRoot: "the lab makes network namespaces and mounts, so it needs root: run it with sudo"
        case .invalid(let what): what
        case .notUp(let lab): "there is no lab\(Self.named(lab)): start one with “haven lab up”"
        case .alreadyUp(let lab):
            "there is a lab\(Self.named(lab)) already: end it with “haven lab down”, or choose another --lab NAME"
        case .unknownHost(let host, let known):
            "no host “\(host)” in this lab; there are \(known.joined(separator: ", "))"
        case .isOff(let host): "\(host) is powered off: “haven lab power on \(host)”"
        case .interrupted: "interrupted; everything was removed again"
        case .failed(let what): what
        }
    }

    /// Turns the failure of a system call into the lab's own error.
    static func wrap<Result>(_ body: () throws(SystemError) -> Result) throws(LabError) -> Result {
        do throws(SystemError) { return try body() } catch { throw .failed("\(error)") }
    }

    private static func named(_ lab: String) -> String { lab.isEmpty ? "" : " “\(lab)”" }
}
