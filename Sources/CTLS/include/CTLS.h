/* The part of libssl that the proxy calls, with results as the system calls of CLinux give them: a count, 0 for the end,
 * or -errno. -EAGAIN waits for an event; every other error ends the connection. */
#ifndef HAVEN_CTLS_H
#define HAVEN_CTLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <errno.h>
#include <stdint.h>

/* The socket under a session, as its BIO sees it. */
struct haven_wire {
    int fd;
    uint32_t state;
};

/* A read may give something. Cleared by a short read, for the socket is drained then. */
#define HAVEN_WIRE_READABLE 1u
/* The end was announced: reads must go on to it. */
#define HAVEN_WIRE_ENDS 2u
/* A write is waited for, be it one of the protocol itself in the middle of a read. */
#define HAVEN_WIRE_WRITES 4u

/* A session over the wire, which must outlive it; NULL when memory is short. */
SSL *haven_tls_open(SSL_CTX *context, struct haven_wire *wire, int accepts);

/* Names and the contexts that stand in for them, NULL for the one that is asked; ordered by name without regard to case. A
 * name may begin with "*." for any one label. */
struct haven_tls_name {
    const char *name;
    SSL_CTX *context;
};

/* Lets the client's server name pick the context. The context takes over the names (from malloc) and a reference to each
 * of their contexts. Where none fits: the context itself, or an alert if it is strict. 0 for success. */
int haven_tls_set_names(SSL_CTX *context, struct haven_tls_name *names, size_t count, int strict);

/* Protocols in the form of ALPN that a server agrees to, most wanted first; copied. 0 for success. */
int haven_tls_set_protocols(SSL_CTX *context, const uint8_t *list, size_t count);

/* Keys of session tickets, 80 bytes each: name, HMAC key, AES key. The first one seals, all open. 0 for success. */
#define HAVEN_TICKET_KEY_BYTES 80
#define HAVEN_TICKET_KEYS 3
int haven_tls_set_ticket_keys(SSL_CTX *context, const uint8_t *keys, size_t count);

/* Calls `body` with each DNS name and the common name of a certificate. */
void haven_tls_names_of(X509 *certificate, void *context, void (*body)(void *context, const char *name, size_t count));

static inline long haven_tls_result(SSL *session, int result) {
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL: return -ECONNRESET;
    default: return -EPROTO;
    }
}

static inline long haven_tls_handshake(SSL *session) {
    ERR_clear_error();
    int result = SSL_do_handshake(session);
    return result == 1 ? 1 : haven_tls_result(session, result);
}

static inline long haven_tls_read(SSL *session, void *buffer, size_t size) {
    ERR_clear_error();
    size_t count = 0;
    int result = SSL_read_ex(session, buffer, size, &count);
    return result == 1 ? (long)count : haven_tls_result(session, result);
}

static inline long haven_tls_peek(SSL *session, void *buffer, size_t size) {
    ERR_clear_error();
    size_t count = 0;
    int result = SSL_peek_ex(session, buffer, size, &count);
    return result == 1 ? (long)count : haven_tls_result(session, result);
}

static inline long haven_tls_write(SSL *session, const void *buffer, size_t size) {
    ERR_clear_error();
    size_t count = 0;
    int result = SSL_write_ex(session, buffer, size, &count);
    if (result == 1) return (long)count;
    long error = haven_tls_result(session, result);
    return error == 0 ? -EPIPE : error;
}

/* Says that nothing more will be sent; as far as the socket takes it now. */
static inline void haven_tls_say_end(SSL *session) {
    if (SSL_in_init(session)) return;
    ERR_clear_error();
    SSL_shutdown(session);
    ERR_clear_error();
}

/* Forms that Swift cannot reach. */
static inline int haven_tls_set_versions(SSL_CTX *context, int lowest) {
    return SSL_CTX_set_min_proto_version(context, lowest);
}
static inline void haven_tls_set_defaults(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
        | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_read_ahead(context, 1);
}
/* An end without a good-bye counts as one: where the bytes themselves tell whether they are complete. */
static inline void haven_tls_believe_ends(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}
static inline int haven_tls_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}
static inline int haven_tls_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}
static inline void haven_tls_cache_nothing(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline int haven_tls_up_ref(SSL_CTX *context) { return SSL_CTX_up_ref(context); }

#endif
