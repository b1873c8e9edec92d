/// The protocol level that listeners' settings belong to (docs/upgrades.md): a node below it would read a configuration
/// without them, and serve something else than its neighbours.
extension ClusterConfiguration {
    /// The lowest level of a cluster that may have this configuration.
    var level: UInt8 { listeners.contains(where: \.needsSecondLevel) ? 2 : ProtocolLevel.first }
}

extension Listener {
    fileprivate var needsSecondLevel: Bool {
        tls != nil || redispatchInterval != nil || retryOn != nil || reuse != nil || persist != nil
            || serviceCheck != nil || passiveCheckFactor != nil || cookie?.needsSecondLevel == true
            || httpCheck?.needsSecondLevel == true || servers.contains(where: \.needsSecondLevel)
    }
}

extension CookiePersistence {
    fileprivate var needsSecondLevel: Bool {
        self != CookiePersistence(name: name, indirect: indirect, noCache: noCache)
    }
}

extension HTTPCheck {
    fileprivate var needsSecondLevel: Bool {
        version != nil || headers != nil || body != nil || expect != nil || disableOn404 != nil
    }
}

extension Server {
    fileprivate var needsSecondLevel: Bool {
        let isPlain =
            agent == nil && observe == nil && onMarkedDown == nil && onMarkedUp == nil && track == nil && tls == nil
            && slowStart == nil
        let hasPlainCheck = check?.fastInter == nil && check?.downInter == nil && check?.address == nil
        return !isPlain || !hasPlainCheck
    }
}
