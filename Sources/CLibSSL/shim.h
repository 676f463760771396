// What of OpenSSL's libssl the load generator needs to go on with a TLS session; macros have a wrapper here, because Swift cannot call them.
#ifndef CREMA_CLIBSSL_SHIM_H
#define CREMA_CLIBSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "Crema needs OpenSSL 3 (Debian: libssl-dev)"
#endif

static inline int CLibSSL_set_versions(SSL_CTX *context, int least, int greatest) {
    return SSL_CTX_set_min_proto_version(context, least) == 1 && SSL_CTX_set_max_proto_version(context, greatest) == 1;
}

/// Tickets go to the connection that they came on, not into a cache of the context.
static inline void CLibSSL_keep_no_sessions(SSL_CTX *context) { SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); }

/// Sends the name that the server is asked for; `name` is no address.
static inline int CLibSSL_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

#endif
