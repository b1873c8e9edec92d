import ClusterModel
import ProxyControl

/// Certificates and keys of the plan, built once and kept until they change.
extension Supervisor {
    /// Gives a listener its context: that of `known` where nothing about it has changed.
    ///
    /// A certificate that was spoiled in the middle of a change must not stop a listener that works: then the context in use
    /// stays. But it stays only for the same settings: a listener that shall verify its clients now serves nobody without that.
    func encrypt(_ live: inout LiveListener, known: LiveListener?) {
        guard let settings = live.planned.listener.tls else { return }
        let before = known?.planned
        let isSameMode = before?.listener.mode == live.planned.listener.mode
        if let known, known.tls != nil, known.tlsFault == nil, known.planned.listener.tls == settings,
            known.planned.tls == live.planned.tls, isSameMode
        {
            live.tls = known.tls
            return
        }
        do throws(TLSFault) {
            guard let planned = live.planned.tls else { throw TLSFault("no certificate came with the plan") }
            let isHTTP = live.planned.listener.mode == .http
            live.tls = try .listener(live.planned.listener.name, settings, planned, isHTTP: isHTTP)
        } catch {
            var settingsBefore = before?.listener.tls
            settingsBefore?.certificates = settings.certificates
            if settingsBefore == settings, isSameMode { live.tls = known?.tls }
            live.tlsFault = error.description
        }
    }

    /// Gives a server its context, by the same rule.
    ///
    /// - Parameters:
    ///   - server: The server of the new plan.
    ///   - planned: Its listener there.
    ///   - before: The server as it was.
    ///   - plannedBefore: Its listener then.
    func encrypt(
        _ server: inout LiveServer,
        of planned: PlannedListener,
        before: LiveServer?,
        _ plannedBefore: PlannedListener?
    ) {
        server.tls = nil
        server.tlsFault = nil
        guard let settings = server.configuration.tls else { return }
        let name = server.configuration.name
        let files = planned.serverTLS?[name] ?? PlannedServerTLS()
        let filesBefore = plannedBefore?.serverTLS?[name] ?? PlannedServerTLS()
        let isSame = before?.configuration.tls == settings && plannedBefore?.listener.mode == planned.listener.mode
        if let before, before.tls != nil, before.tlsFault == nil, isSame, files == filesBefore {
            server.tls = before.tls
            return
        }
        do throws(TLSFault) {
            server.tls = try .server(settings, files, isHTTP: planned.listener.mode == .http)
        } catch {
            if isSame { server.tls = before?.tls }
            server.tlsFault = error.description
        }
    }

    /// What cannot be used of the files of the plan, for operators.
    var encryptionFaults: [String] {
        listeners.flatMap { live -> [String] in
            let name = live.planned.listener.name
            var faults: [String] = []
            if let fault = live.tlsFault {
                faults.append(
                    "listener \(name) \(live.tls == nil ? "serves nobody" : "keeps its certificates"): \(fault)"
                )
            }
            for server in live.servers {
                guard let fault = server.tlsFault else { continue }
                let effect = server.tls == nil ? "is not reached" : "keeps its files"
                faults.append("server \(name)/\(server.configuration.name) \(effect): \(fault)")
            }
            return faults
        }
    }
}
