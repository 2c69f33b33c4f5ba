/*
 * culvert.kind.auth/1: tokens, made for those who dial and verified for a relay.
 *
 * acquire() and verify() return CULVERT_DONE with the record filled in, or CULVERT_PENDING and call
 * record->complete later, on the same shard, once, and never from inside the call. The record and
 * what it points at belong to the caller, who keeps both in place until then. A failure is a status
 * in the record.
 *
 * The engine sets for listeners and senders `key_name` (text) and `key` (secret), or `signature`
 * (text) where the connection string has a ready token, and `token_lifetime_s` (integer) where a
 * token is asked for alone; for a relay, nothing. Every other setting keeps its default.
 */
#ifndef CULVERT_AUTH_H
#define CULVERT_AUTH_H

#include "culvert/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CULVERT_KIND_AUTH "culvert.kind.auth/1"

enum culvert_progress { CULVERT_DONE = 0, CULVERT_PENDING = 1 };

enum culvert_right { CULVERT_RIGHT_LISTEN = 1, CULVERT_RIGHT_SEND = 2, CULVERT_RIGHT_MANAGE = 4 };

typedef struct culvert_acquire culvert_acquire;
struct culvert_acquire {
  uint32_t size;
  uint32_t reserved;
  void (*complete)(culvert_acquire *record);
  void *owner;          /* the caller's */
  culvert_arena *arena; /* for the token */
  culvert_view audience;
  /* results */
  culvert_status status;
  culvert_view token;
  uint64_t token_id; /* names the token without showing it */
  int64_t expires_s; /* Unix seconds */
  int64_t renew_after_s;
};

typedef struct culvert_rule {
  culvert_view name; /* compared ignoring case */
  uint32_t rights;   /* enum culvert_right, or-ed; Manage implies the others */
  uint32_t secret_count;
  uint64_t secrets[2]; /* references for culvert.service.secret/1: primary, secondary */
} culvert_rule;

typedef struct culvert_verify culvert_verify;
struct culvert_verify {
  uint32_t size;
  uint32_t rule_count;
  void (*complete)(culvert_verify *record);
  void *owner;
  culvert_view token;        /* empty: none was given */
  culvert_view path;         /* the full request path, decoded, without a leading '/' */
  const culvert_rule *rules; /* that apply to the path: the entity's first, then the relay's */
  const culvert_view *names; /* of the relay: host names without ports */
  uint32_t name_count;
  uint32_t right_wanted; /* one enum culvert_right */
  int64_t wall_s;
  /* results */
  culvert_status status; /* CULVERT_OK, or one of CULVERT_TOKEN_... */
  uint32_t rights;       /* granted */
  uint32_t reserved;
  int64_t expires_s; /* as the token says, without grace */
  /* For the log of the relay alone, zero-terminated; no peer is told. Of a success the name of the
     rule; of a failure what its message does not say: which rule, which key. Write it only where
     size covers it: an older engine has no room for it. */
  char note[256];
};

typedef struct culvert_auth {
  uint32_t size;
  uint32_t reserved;
  culvert_life life;

  uint32_t (*acquire)(void *instance, culvert_acquire *record);
  /* The relay refused this token: 1 when the next acquire() will give another one worth trying. */
  uint32_t (*refused)(void *instance, uint64_t token_id);
  uint32_t (*verify)(void *instance, culvert_verify *record);
} culvert_auth;

#ifdef __cplusplus
}
#endif
#endif
