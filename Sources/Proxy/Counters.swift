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
        case requests, open, idle, connectFailures, badResponses, handshakeFailures
    }

    private static let answersAt = ListenerField.allCases.count
    private static let picksAt = answersAt + AnswerReason.allCases.count
    private static let listenerStride = picksAt + PickReason.allCases.count
    private static let serverStride = ServerField.allCases.count
    private static let words = ProxyLimits.listenerIDs * listenerStride + ProxyLimits.serverIDs * serverStride

    private let base: UnsafeMutablePointer<Atomic<UInt64>>

    init?() {
        // Fresh anonymous memory reads as zero, and pages of unused numbers are never touched.
        guard let memory = haven_map_private(Self.words * 8) else { return nil }
        base = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.words)
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
    func add(_ field: ServerField, server: Int32, _ amount: Int64 = 1) {
        add(Self.serverIndex(server) + field.rawValue, amount)
    }

    private static func serverIndex(_ server: Int32) -> Int {
        ProxyLimits.listenerIDs * listenerStride + Int(server) * serverStride
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
