import Balancing
import CLinux
import ProxyControl
import Synchronization

/// A loop's counters: written by its thread alone, read by the control thread whenever it likes.
struct Counters {
    /// What is counted per listener.
    enum ListenerField: Int, CaseIterable {
        case accepted, open, requests, resetWithoutLease, handshakeFailures
    }

    /// What is counted per server.
    enum ServerField: Int, CaseIterable {
        case requests, open, idle, connectFailures, badResponses, retries, handshakeFailures
    }

    // Where each kind starts, with room for more of the one before. These are literals, because anything that is computed
    // would be looked up at every use.
    private static let answersAt = 16
    private static let picksAt = 48
    private static let clientCookiesAt = 64
    private static let serverCookiesAt = 72
    private static let listenerStride = 80
    private static let serverPicksAt = 16
    private static let serverStride = 32
    private static let serversAt = ProxyLimits.listenerIDs * 80
    private static let words = ProxyLimits.listenerIDs * 80 + ProxyLimits.serverIDs * 32

    private let base: UnsafeMutablePointer<Atomic<UInt64>>

    init?() {
        Self.checkLayout()
        // Fresh anonymous memory reads as zero, and pages of unused numbers are never touched.
        guard let memory = haven_map_private(Self.words * 8) else { return nil }
        base = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.words)
    }

    private static func checkLayout() {
        precondition(ListenerField.allCases.count <= answersAt && ServerField.allCases.count <= serverPicksAt)
        precondition(answersAt + AnswerReason.allCases.count <= picksAt)
        precondition(picksAt + PickReason.allCases.count <= clientCookiesAt)
        precondition(clientCookiesAt + ClientCookie.allCases.count <= serverCookiesAt)
        precondition(serverCookiesAt + ServerCookie.allCases.count <= listenerStride)
        precondition(serverPicksAt + PickReason.allCases.count <= serverStride)
    }

    func destroy() { haven_unmap(UnsafeMutableRawPointer(base), Self.words * 8) }

    /// One writer only, so a plain load and store are enough; the atomic keeps readers from seeing half a value.
    @inline(__always)
    private func add(_ index: Int, _ amount: Int64) {
        let value = base[index].load(ordering: .relaxed)
        base[index].store(value &+ UInt64(bitPattern: amount), ordering: .relaxed)
    }

    @inline(__always)
    func add(_ field: ListenerField, listener: Int32, _ amount: Int64 = 1) {
        add(Int(listener) * Self.listenerStride + field.rawValue, amount)
    }

    @inline(__always)
    func add(_ reason: AnswerReason, listener: Int32) {
        add(Int(listener) * Self.listenerStride + Self.answersAt + Int(reason.rawValue), 1)
    }

    @inline(__always)
    func add(_ reason: PickReason, picked listener: Int32) {
        add(Int(listener) * Self.listenerStride + Self.picksAt + Int(reason.rawValue), 1)
    }

    @inline(__always)
    func add(_ reason: PickReason, server: Int32) {
        add(Self.serverIndex(server) + Self.serverPicksAt + Int(reason.rawValue), 1)
    }

    @inline(__always)
    func add(_ cookie: ClientCookie, listener: Int32) {
        add(Int(listener) * Self.listenerStride + Self.clientCookiesAt + Int(cookie.rawValue), 1)
    }

    @inline(__always)
    func add(_ cookie: ServerCookie, listener: Int32) {
        add(Int(listener) * Self.listenerStride + Self.serverCookiesAt + Int(cookie.rawValue), 1)
    }

    @inline(__always)
    func add(_ field: ServerField, server: Int32, _ amount: Int64 = 1) {
        add(Self.serverIndex(server) + field.rawValue, amount)
    }

    private static func serverIndex(_ server: Int32) -> Int {
        serversAt + Int(server) * serverStride
    }

    func value(_ field: ListenerField, listener: Int32) -> UInt64 {
        base[Int(listener) * Self.listenerStride + field.rawValue].load(ordering: .relaxed)
    }

    func value(_ reason: AnswerReason, listener: Int32) -> UInt64 {
        base[Int(listener) * Self.listenerStride + Self.answersAt + Int(reason.rawValue)].load(ordering: .relaxed)
    }

    func value(_ reason: PickReason, picked listener: Int32) -> UInt64 {
        base[Int(listener) * Self.listenerStride + Self.picksAt + Int(reason.rawValue)].load(ordering: .relaxed)
    }

    func value(_ reason: PickReason, server: Int32) -> UInt64 {
        base[Self.serverIndex(server) + Self.serverPicksAt + Int(reason.rawValue)].load(ordering: .relaxed)
    }

    func value(_ cookie: ClientCookie, listener: Int32) -> UInt64 {
        let index = Int(listener) * Self.listenerStride + Self.clientCookiesAt + Int(cookie.rawValue)
        return base[index].load(ordering: .relaxed)
    }

    func value(_ cookie: ServerCookie, listener: Int32) -> UInt64 {
        let index = Int(listener) * Self.listenerStride + Self.serverCookiesAt + Int(cookie.rawValue)
        return base[index].load(ordering: .relaxed)
    }

    func value(_ field: ServerField, server: Int32) -> UInt64 {
        base[Self.serverIndex(server) + field.rawValue].load(ordering: .relaxed)
    }

    /// Starts a number's counters anew for its next owner; only when no connection uses the number.
    func clear(listener: Int32) {
        for index in 0..<Self.listenerStride {
            base[Int(listener) * Self.listenerStride + index].store(0, ordering: .relaxed)
        }
    }

    /// Likewise for a server.
    func clear(server: Int32) {
        for index in 0..<Self.serverStride { base[Self.serverIndex(server) + index].store(0, ordering: .relaxed) }
    }
}
