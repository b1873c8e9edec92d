import Bytes
import CTLS
import ClusterModel
import ProxyControl

/// What is wrong with a listener's or a server's encryption, in the operator's words.
struct TLSFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// What libssl says of the last failure; it names no secret.
    init(_ what: String, path: String) {
        let code = ERR_peek_last_error()
        let reason = ERR_reason_error_string(code).map { String(cString: $0) }
        ERR_clear_error()
        description = "\(path): \(what)" + (reason.map { " (\($0))" } ?? "")
    }
}

/// An `SSL_CTX`: certificates, keys and settings of a listener, or of connections to a server.
///
/// Sessions that began with it keep what they need of it, so that it can be replaced at any time.
final class TLSContext {
    let pointer: OpaquePointer

    private init(_ method: OpaquePointer?) throws(TLSFault) {
        guard let pointer = SSL_CTX_new(method) else { throw TLSFault("no memory for certificates") }
        self.pointer = pointer
        haven_tls_set_defaults(pointer)
        haven_tls_cache_nothing(pointer)
    }

    deinit { SSL_CTX_free(pointer) }

    // MARK: Listeners

    /// Builds the context of a listener, with one context per further certificate behind it.
    static func listener(
        _ name: String,
        _ settings: ListenerTLS,
        _ planned: PlannedTLS,
        isHTTP: Bool
    ) throws(TLSFault) -> TLSContext {
        guard !planned.certificates.isEmpty else { throw TLSFault("there is no certificate in crt") }
        var contexts: [(context: TLSContext, names: [String])] = []
        for file in planned.certificates {
            let context = try TLSContext(TLS_server_method())
            // Requests say where they end, and what a client of a stream left out is its own loss.
            haven_tls_believe_ends(context.pointer)
            let names = try context.takeIdentity(file)
            try context.set(settings, planned, listener: name, isHTTP: isHTTP)
            contexts.append((context, names))
        }
        let first = contexts[0].context
        if contexts.count > 1 || settings.isStrict == true {
            try first.setNames(contexts, isStrict: settings.isStrict == true)
        }
        return first
    }

    private func set(
        _ settings: ListenerTLS,
        _ planned: PlannedTLS,
        listener: String,
        isHTTP: Bool
    ) throws(TLSFault) {
        try setVersions(settings.lowestVersion)
        if let ciphers = settings.ciphers, SSL_CTX_set_cipher_list(pointer, ciphers) != 1 {
            throw TLSFault("no cipher is known", path: "ciphers \(ciphers)")
        }
        if let suites = settings.cipherSuites, SSL_CTX_set_ciphersuites(pointer, suites) != 1 {
            throw TLSFault("no cipher suite is known", path: "ciphersuites \(suites)")
        }
        if let verify = settings.verify, verify != .none {
            guard let authority = planned.authority else { throw TLSFault("clients are verified, but by no ca-file") }
            try trust(authority, isListener: true)
            let mode = SSL_VERIFY_PEER | (verify == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
            SSL_CTX_set_verify(pointer, mode, nil)
        }
        // A session of one listener is worth nothing at another, which may ask more of its clients.
        var identity = Array(listener.utf8.prefix(Int(SSL_MAX_SID_CTX_LENGTH)))
        if identity.isEmpty { identity = [0] }
        guard SSL_CTX_set_session_id_context(pointer, identity, UInt32(identity.count)) == 1 else {
            throw TLSFault("the listener's name", path: listener)
        }
        let protocols = settings.protocols ?? (isHTTP ? ["http/1.1"] : [])
        let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !list.isEmpty, haven_tls_set_protocols(pointer, list, list.count) != 0 {
            throw TLSFault("no memory for protocols")
        }
        let keys = planned.ticketKeys.prefix(Int(HAVEN_TICKET_KEYS)).map { Hex.decode($0.exposed) ?? [] }
        guard keys.allSatisfy({ $0.count == PlannedTLS.ticketKeyBytes }) else {
            throw TLSFault("a key of session tickets has not \(PlannedTLS.ticketKeyBytes) bytes")
        }
        let joined = keys.flatMap { $0 }
        guard haven_tls_set_ticket_keys(pointer, joined, keys.count) == 0 else {
            throw TLSFault("no memory for session tickets")
        }
    }

    private func setVersions(_ lowest: TLSVersion?) throws(TLSFault) {
        let version = lowest == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard haven_tls_set_versions(pointer, version) == 1 else { throw TLSFault("ssl-min-ver is not possible") }
    }

    /// Lets the server name that a client sends pick among contexts; this one is the first of them.
    private func setNames(_ contexts: [(context: TLSContext, names: [String])], isStrict: Bool) throws(TLSFault) {
        var owners: [String: TLSContext] = [:]
        for (context, names) in contexts {
            // Of two certificates with one name the first counts.
            for name in names where owners[name] == nil { owners[name] = context }
        }
        let ordered = owners.sorted { strcasecmp($0.key, $1.key) < 0 }
        let list = UnsafeMutablePointer<haven_tls_name>(
            OpaquePointer(calloc(max(1, ordered.count), MemoryLayout<haven_tls_name>.stride))
        )
        guard let list else { throw TLSFault("no memory for server names") }
        for (index, entry) in ordered.enumerated() {
            // The first one refers to itself by no reference, or it would never be freed.
            if entry.value !== self { _ = haven_tls_up_ref(entry.value.pointer) }
            list[index] = haven_tls_name(
                name: UnsafePointer(strdup(entry.key)),
                context: entry.value === self ? nil : entry.value.pointer
            )
        }
        guard haven_tls_set_names(pointer, list, ordered.count, isStrict ? 1 : 0) == 0 else {
            throw TLSFault("no memory for server names")
        }
    }

    // MARK: Servers

    /// Builds the context of connections to a server.
    static func server(
        _ settings: ServerTLS,
        _ planned: PlannedServerTLS,
        isHTTP: Bool
    ) throws(TLSFault) -> TLSContext {
        let context = try TLSContext(TLS_client_method())
        // A response may end with its connection: then a cut must not look like its end.
        if !isHTTP { haven_tls_believe_ends(context.pointer) }
        try context.setVersions(nil)
        if let certificate = planned.certificate { _ = try context.takeIdentity(certificate) }
        guard settings.isVerified else { return context }
        guard let authority = planned.authority else { throw TLSFault("the server is verified, but by no ca-file") }
        try context.trust(authority, isListener: false)
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        guard let name = settings.verifiedName else { throw TLSFault("the server is verified, but by no name") }
        let parameters = SSL_CTX_get0_param(context.pointer)
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 else {
            throw TLSFault("it is no host name", path: "verifyhost \(name)")
        }
        return context
    }

    // MARK: Files

    /// Takes certificate, chain and key out of a PEM file.
    ///
    /// - Returns: The names that the certificate bears.
    private func takeIdentity(_ file: PlannedFile) throws(TLSFault) -> [String] {
        let source = try Self.open(file)
        defer { BIO_free(source) }
        guard let leaf = PEM_read_bio_X509(source, nil, nil, nil) else {
            throw TLSFault("there is no certificate in it", path: file.path)
        }
        defer { X509_free(leaf) }
        guard SSL_CTX_use_certificate(pointer, leaf) == 1 else {
            throw TLSFault("the certificate cannot be used", path: file.path)
        }
        while let next = PEM_read_bio_X509(source, nil, nil, nil) {
            guard haven_tls_add_chain(pointer, next) == 1 else {
                X509_free(next)
                throw TLSFault("the chain cannot be used", path: file.path)
            }
        }
        ERR_clear_error()
        let keys = try Self.open(file)
        defer { BIO_free(keys) }
        // A key that wants a passphrase is refused, and nobody asked for one at a terminal.
        guard let key = PEM_read_bio_PrivateKey(keys, nil, { _, _, _, _ in -1 }, nil) else {
            throw TLSFault("there is no key in it that can be read without a passphrase", path: file.path)
        }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(pointer, key) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            throw TLSFault("the key is not that of the certificate", path: file.path)
        }
        return Self.names(of: leaf)
    }

    private static func names(of certificate: OpaquePointer) -> [String] {
        var names: [String] = []
        withUnsafeMutablePointer(to: &names) { names in
            haven_tls_names_of(certificate, names) { names, text, count in
                guard let names, let text else { return }
                let bytes = UnsafeRawBufferPointer(start: text, count: count)
                // A name with other bytes in it matches nothing.
                guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return }
                let list = names.assumingMemoryBound(to: [String].self)
                list.pointee.append(String(decoding: bytes, as: UTF8.self).lowercased())
            }
        }
        return names
    }

    private func trust(_ file: PlannedFile, isListener: Bool) throws(TLSFault) {
        let source = try Self.open(file)
        defer { BIO_free(source) }
        let store = SSL_CTX_get_cert_store(pointer)
        var count = 0
        while let certificate = PEM_read_bio_X509(source, nil, nil, nil) {
            defer { X509_free(certificate) }
            // Twice the same authority is no fault.
            _ = X509_STORE_add_cert(store, certificate)
            if isListener { SSL_CTX_add_client_CA(pointer, certificate) }
            count += 1
        }
        ERR_clear_error()
        if count == 0 { throw TLSFault("there is no certificate in it", path: file.path) }
    }

    private static func open(_ file: PlannedFile) throws(TLSFault) -> OpaquePointer {
        if let fault = file.fault { throw TLSFault("\(file.path): \(fault)") }
        let bytes = Array(file.content.exposed.utf8)
        // A BIO of its own memory: the array may go.
        guard let source = BIO_new(BIO_s_mem()) else { throw TLSFault("no memory for \(file.path)") }
        guard BIO_write(source, bytes, Int32(bytes.count)) == Int32(bytes.count) else {
            BIO_free(source)
            throw TLSFault("it is empty or too large", path: file.path)
        }
        return source
    }
}
