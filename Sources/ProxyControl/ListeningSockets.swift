internal import CLinux
public import ClusterModel
public import LinuxIO

/// The listening sockets of one endpoint, one per event-loop thread; the kernel spreads connections over them.
///
/// They are bound freely, so that a node that does not have a virtual IP yet listens on it already.
public struct ListeningSockets: ~Copyable {
    /// The descriptors, in the order of threads.
    public private(set) var numbers: [Int32] = []

    /// Opens them all, or none.
    public init(endpoint: Endpoint, count: Int) throws(SystemError) {
        var options = StreamSocket.ListenOptions()
        options.freeBind = true
        options.reusePort = true
        for _ in 0..<count {
            numbers.append(try StreamSocket.listen(on: endpoint, options).release())
        }
    }

    deinit { for number in numbers { _ = haven_close(number) } }

    /// Gives the descriptors away; the caller closes them.
    public mutating func take() -> [Int32] {
        defer { numbers = [] }
        return numbers
    }
}
