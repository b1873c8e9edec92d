import ClusterModel
import ProxyControl

/// Certificates and keys of the plan, built once and kept until they change.
extension Supervisor {
    /// Gives a listener and its servers their contexts: those of `known` where nothing about them has changed.
    ///
    /// What cannot be used leaves the one in use in its place: a certificate that was spoiled in the middle of a change must
    /// not stop a listener that works.
    func encrypt(_ live: inout LiveListener, known: LiveListener?) {
        let isHTTP = live.planned.listener.mode == .http
        if let settings = live.planned.listener.tls {
            if let known, known.tls != nil, known.tlsFault == nil, known.planned.listener.tls == settings,
                known.planned.tls == live.planned.tls, known.planned.listener.mode == live.planned.listener.mode
            {
                live.tls = known.tls
            } else {
                do throws(TLSFault) {
                    guard let planned = live.planned.tls else { throw TLSFault("no certificate came with the plan") }
                    live.tls = try .listener(live.planned.listener.name, settings, planned, isHTTP: isHTTP)
                } catch {
                    live.tls = known?.tls
                    live.tlsFault = error.description
                }
            }
        }
        for index in live.servers.indices {
            let id = live.servers[index].id
            encrypt(&live.servers[index], of: live.planned, known: known, known?.servers.first { $0.id == id })
        }
    }

    private func encrypt(
        _ server: inout LiveServer,
        of planned: PlannedListener,
        known: LiveListener?,
        _ before: LiveServer?
    ) {
        server.tls = nil
        server.tlsFault = nil
        guard let settings = server.configuration.tls else { return }
        let files = planned.serverTLS?[server.configuration.name] ?? PlannedServerTLS()
        let filesBefore = known?.planned.serverTLS?[server.configuration.name] ?? PlannedServerTLS()
        if let before, before.tls != nil, before.tlsFault == nil, before.configuration.tls == settings,
            files == filesBefore,
            known?.planned.listener.mode == planned.listener.mode
        {
            server.tls = before.tls
            return
        }
        do throws(TLSFault) {
            server.tls = try .server(settings, files, isHTTP: planned.listener.mode == .http)
        } catch {
            // Only for the same settings: a server that shall be verified now is not reached without that.
            if before?.configuration.tls == settings { server.tls = before?.tls }
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
