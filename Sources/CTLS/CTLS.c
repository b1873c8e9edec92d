#include "CTLS.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* MARK: The wire */

static int wire_read(BIO *bio, char *buffer, int size) {
    struct haven_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!(wire->state & HAVEN_WIRE_READABLE)) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t count;
    do count = recv(wire->fd, buffer, (size_t)size, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    if (count > 0) {
        if (count < size && !(wire->state & HAVEN_WIRE_ENDS)) wire->state &= ~HAVEN_WIRE_READABLE;
        return (int)count;
    }
    if (count < 0 && errno == EAGAIN) {
        wire->state &= ~HAVEN_WIRE_READABLE;
        BIO_set_retry_read(bio);
    }
    return (int)count;
}

static int wire_write(BIO *bio, const char *buffer, int size) {
    struct haven_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count;
    do count = send(wire->fd, buffer, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN) {
        wire->state |= HAVEN_WIRE_WRITES;
        BIO_set_retry_write(bio);
    }
    return (int)count;
}

static long wire_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *wire_method;
static int names_index;
static int protocols_index;
static int tickets_index;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

struct names {
    size_t count;
    int strict;
    struct haven_tls_name *list;
};

struct protocols {
    size_t count;
    uint8_t list[];
};

struct tickets {
    size_t count;
    uint8_t keys[];
};

static void free_names(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argument, void *more) {
    (void)parent, (void)data, (void)index, (void)argument, (void)more;
    struct names *names = pointer;
    if (!names) return;
    for (size_t at = 0; at < names->count; at++) {
        free((void *)names->list[at].name);
        SSL_CTX_free(names->list[at].context);
    }
    free(names->list);
    free(names);
}

static void free_plain(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argument, void *more) {
    (void)parent, (void)data, (void)index, (void)argument, (void)more;
    free(pointer);
}

static void free_tickets(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argument, void *more) {
    (void)parent, (void)data, (void)index, (void)argument, (void)more;
    struct tickets *tickets = pointer;
    if (!tickets) return;
    OPENSSL_cleanse(tickets->keys, tickets->count * HAVEN_TICKET_KEY_BYTES);
    free(tickets);
}

static void prepare(void) {
    names_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
    protocols_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_plain);
    tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_tickets);
    wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "haven wire");
    if (!wire_method) return;
    BIO_meth_set_read(wire_method, wire_read);
    BIO_meth_set_write(wire_method, wire_write);
    BIO_meth_set_ctrl(wire_method, wire_control);
}

SSL *haven_tls_open(SSL_CTX *context, struct haven_wire *wire, int accepts) {
    pthread_once(&prepared, prepare);
    if (!wire_method) return NULL;
    SSL *session = SSL_new(context);
    BIO *bio = session ? BIO_new(wire_method) : NULL;
    if (!bio) {
        SSL_free(session);
        return NULL;
    }
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
    if (accepts) SSL_set_accept_state(session);
    else SSL_set_connect_state(session);
    return session;
}

/* MARK: Names */

static const struct haven_tls_name *find(const struct names *names, const char *wanted) {
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcasecmp(wanted, names->list[middle].name);
        if (order == 0) return &names->list[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

static int pick_name(SSL *session, int *alert, void *argument) {
    const struct names *names = argument;
    const char *wanted = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    const struct haven_tls_name *found = NULL;
    if (wanted) {
        found = find(names, wanted);
        const char *rest = strchr(wanted, '.');
        char wildcard[256];
        if (!found && rest && strlen(rest) < sizeof wildcard - 1) {
            wildcard[0] = '*';
            strcpy(wildcard + 1, rest);
            found = find(names, wildcard);
        }
    }
    if (found) {
        if (found->context) SSL_set_SSL_CTX(session, found->context);
        return SSL_TLSEXT_ERR_OK;
    }
    if (!names->strict) return SSL_TLSEXT_ERR_NOACK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int haven_tls_set_names(SSL_CTX *context, struct haven_tls_name *list, size_t count, int strict) {
    pthread_once(&prepared, prepare);
    struct names *names = calloc(1, sizeof *names);
    if (!names) return -ENOMEM;
    *names = (struct names){count, strict, list};
    if (SSL_CTX_set_ex_data(context, names_index, names) != 1) {
        free(names);
        return -ENOMEM;
    }
    SSL_CTX_set_tlsext_servername_callback(context, pick_name);
    SSL_CTX_set_tlsext_servername_arg(context, names);
    return 0;
}

void haven_tls_names_of(X509 *certificate, void *context, void (*body)(void *context, const char *name, size_t count)) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int at = 0; names && at < sk_GENERAL_NAME_num(names); at++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, at);
        if (name->type != GEN_DNS) continue;
        body(context, (const char *)ASN1_STRING_get0_data(name->d.dNSName), (size_t)ASN1_STRING_length(name->d.dNSName));
    }
    GENERAL_NAMES_free(names);
    char common[256];
    int count = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common, sizeof common);
    if (count > 0) body(context, common, (size_t)count);
}

/* MARK: Protocols */

static int pick_protocol(
    SSL *session, const unsigned char **chosen, unsigned char *length, const unsigned char *offered, unsigned int count,
    void *argument
) {
    (void)session;
    const struct protocols *protocols = argument;
    unsigned char *found;
    int result = SSL_select_next_proto(
        &found, length, protocols->list, (unsigned int)protocols->count, offered, count);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

int haven_tls_set_protocols(SSL_CTX *context, const uint8_t *list, size_t count) {
    pthread_once(&prepared, prepare);
    struct protocols *protocols = malloc(sizeof *protocols + count);
    if (!protocols) return -ENOMEM;
    protocols->count = count;
    memcpy(protocols->list, list, count);
    if (SSL_CTX_set_ex_data(context, protocols_index, protocols) != 1) {
        free(protocols);
        return -ENOMEM;
    }
    SSL_CTX_set_alpn_select_cb(context, pick_protocol, protocols);
    return 0;
}

/* MARK: Tickets */

static int ticket_key(
    SSL *session, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals
) {
    const struct tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), tickets_index);
    if (!tickets || tickets->count == 0) return 0;
    size_t at = 0;
    if (seals) {
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
        memcpy(name, tickets->keys, 16);
    } else {
        while (at < tickets->count && CRYPTO_memcmp(name, tickets->keys + at * HAVEN_TICKET_KEY_BYTES, 16) != 0) at++;
        if (at == tickets->count) return 0;
    }
    const uint8_t *key = tickets->keys + at * HAVEN_TICKET_KEY_BYTES;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(key + 16), 32),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "sha256", 0),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key + 48, iv, seals) != 1) return -1;
    /* 2: opened, and a new ticket shall be given, since another key seals by now. */
    return seals || at == 0 ? 1 : 2;
}

int haven_tls_set_ticket_keys(SSL_CTX *context, const uint8_t *keys, size_t count) {
    pthread_once(&prepared, prepare);
    if (count > HAVEN_TICKET_KEYS) return -EINVAL;
    struct tickets *tickets = malloc(sizeof *tickets + count * HAVEN_TICKET_KEY_BYTES);
    if (!tickets) return -ENOMEM;
    tickets->count = count;
    memcpy(tickets->keys, keys, count * HAVEN_TICKET_KEY_BYTES);
    if (SSL_CTX_set_ex_data(context, tickets_index, tickets) != 1) {
        free(tickets);
        return -ENOMEM;
    }
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key) == 1 ? 0 : -EINVAL;
}
