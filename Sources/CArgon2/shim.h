// What Trust needs of libargon2, in a form that Swift can call without filling the library's structure by hand.
// Nothing here decides anything; what is checked and why is written in Trust.
#ifndef CREMA_CARGON2_SHIM_H
#define CREMA_CARGON2_SHIM_H

#include <argon2.h>
#include <stddef.h>
#include <string.h>

/// Hashes by Argon2id, version 1.3, on the calling thread alone whatever the number of lanes. Returns ARGON2_OK when done.
static inline int CArgon2_id(
    uint32_t memory_kib, uint32_t passes, uint32_t lanes, const uint8_t *password, uint32_t password_length, const uint8_t *salt,
    uint32_t salt_length, uint8_t *hash, uint32_t hash_length) {
    argon2_context context;
    memset(&context, 0, sizeof context);
    context.out = hash;
    context.outlen = hash_length;
    context.pwd = (uint8_t *)password; // not written to: ARGON2_FLAG_CLEAR_PASSWORD is not set
    context.pwdlen = password_length;
    context.salt = (uint8_t *)salt;
    context.saltlen = salt_length;
    context.t_cost = passes;
    context.m_cost = memory_kib;
    context.lanes = lanes;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    context.flags = ARGON2_DEFAULT_FLAGS;
    return argon2id_ctx(&context);
}

#endif
