// Swift cannot call macros or variadic functions: each one that Trust needs has a wrapper here.
// Nothing here decides anything; what is checked and why is written in Trust.
#ifndef CREMA_COPENSSL_SHIM_H
#define CREMA_COPENSSL_SHIM_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "Crema needs OpenSSL 3 (Debian: libssl-dev)"
#endif

static inline EVP_PKEY *COpenSSL_EVP_PKEY_generate_p256(void) { return EVP_EC_gen("P-256"); }

static inline void COpenSSL_free(void *pointer) { OPENSSL_free(pointer); }

static inline long COpenSSL_BIO_get_mem_data(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

/// 1 if `code` says that a PEM text holds no further block of the kind asked for.
static inline int COpenSSL_ERR_is_pem_end(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/// 1 if `code` says that the passphrase callback gave nothing: the key is encrypted.
static inline int COpenSSL_ERR_is_passphrase_missing(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_BAD_PASSWORD_READ;
}

static inline int COpenSSL_X509_NAME_print_rfc2253(BIO *bio, const X509_NAME *name) {
    return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
}

static inline STACK_OF(X509) *COpenSSL_X509_stack_new(void) { return sk_X509_new_null(); }
static inline int COpenSSL_X509_stack_push(STACK_OF(X509) *stack, X509 *certificate) { return sk_X509_push(stack, certificate); }
static inline int COpenSSL_X509_stack_count(const STACK_OF(X509) *stack) { return stack == NULL ? 0 : sk_X509_num(stack); }
static inline X509 *COpenSSL_X509_stack_value(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
static inline void COpenSSL_X509_stack_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }

static inline GENERAL_NAMES *COpenSSL_GENERAL_NAMES_new(void) { return sk_GENERAL_NAME_new_null(); }
static inline void COpenSSL_GENERAL_NAMES_free(GENERAL_NAMES *names) { sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free); }
static inline int COpenSSL_GENERAL_NAMES_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline const GENERAL_NAME *COpenSSL_GENERAL_NAMES_value(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

/// Appends one name; `type` is GEN_DNS, GEN_URI (IA5 text) or GEN_IPADD (octets). Returns 1 when done.
static inline int COpenSSL_GENERAL_NAMES_append(GENERAL_NAMES *names, int type, const unsigned char *bytes, int count) {
    ASN1_STRING *string = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (string == NULL || name == NULL || ASN1_STRING_set(string, bytes, count) != 1) {
        ASN1_STRING_free(string);
        GENERAL_NAME_free(name);
        return 0;
    }
    GENERAL_NAME_set0_value(name, type, string);
    if (sk_GENERAL_NAME_push(names, name) < 1) {
        GENERAL_NAME_free(name);
        return 0;
    }
    return 1;
}

static inline void COpenSSL_EXTENDED_KEY_USAGE_free(EXTENDED_KEY_USAGE *usages) {
    sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
}
static inline int COpenSSL_EXTENDED_KEY_USAGE_count(const EXTENDED_KEY_USAGE *usages) { return sk_ASN1_OBJECT_num(usages); }
static inline const ASN1_OBJECT *COpenSSL_EXTENDED_KEY_USAGE_value(const EXTENDED_KEY_USAGE *usages, int index) {
    return sk_ASN1_OBJECT_value(usages, index);
}

/// Adds the extension `nid` written as in openssl.cnf. `value` must be a constant: this syntax can be injected into.
static inline int COpenSSL_X509_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL) {
        return 0;
    }
    int added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

/// Names the key that signs a revocation list by its identifier (authorityKeyIdentifier).
static inline int COpenSSL_X509_CRL_name_key(X509_CRL *list, X509 *issuer) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, NULL, NULL, list, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    if (extension == NULL) {
        return 0;
    }
    int added = X509_CRL_add_ext(list, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

static inline void COpenSSL_X509_CRL_stack_free(STACK_OF(X509_CRL) *lists) { sk_X509_CRL_pop_free(lists, X509_CRL_free); }
static inline int COpenSSL_X509_CRL_stack_count(const STACK_OF(X509_CRL) *lists) { return lists == NULL ? 0 : sk_X509_CRL_num(lists); }
static inline X509_CRL *COpenSSL_X509_CRL_stack_value(const STACK_OF(X509_CRL) *lists, int index) {
    return sk_X509_CRL_value(lists, index);
}

/// How many certificates a list revokes; a list of none has no field for them.
static inline int COpenSSL_X509_CRL_count(X509_CRL *list) {
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
    return entries == NULL ? 0 : sk_X509_REVOKED_num(entries);
}
static inline X509_REVOKED *COpenSSL_X509_CRL_entry(X509_CRL *list, int index) {
    return sk_X509_REVOKED_value(X509_CRL_get_REVOKED(list), index);
}

#endif
