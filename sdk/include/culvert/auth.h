/*
 * culvert.kind.auth/1: tokens. A listener or sender makes them, a relay verifies them.
 *
 * acquire() and verify() return CULVERT_DONE with the record filled in, or CULVERT_PENDING; then
 * they call record->complete() later, on the same shard, and never from inside the call of that
 * record. Other records may be completed from every function of the instance, and from ready() and
 * due() (service.h). The record and what it points at belong to the engine, which keeps both in
 * place until then. A failure is a status in the record.
 *
 * A pending record ends exactly once: with complete(), or with cancel_acquire() or cancel_verify(),
 * which the engine calls when it waits no longer, because the deadline has passed or the connection
 * is gone. Inside the cancel the plugin lets go of the record; work for others or for its cache may
 * go on. It may write a failure into the status, which an operator reads as the reason. After
 * either end the record, and all that it points at, is gone. A plugin without these functions keeps
 * the record and completes it later, to no effect.
 *
 * How audience, `names` and `path` relate: the transport's audience() says what a token is made
 * for, for example "http://relay.example/db": the relay's host name and the entity's path.
 * acquire() puts that text into the token. At the relay, verify() gets the token; `names`, the host
 * names that this relay is known by (its --name); and `path`, which the connection asks for: the
 * entity, and perhaps more below it ("db/below"). The engine compares none of them. verify()
 * accepts a token only when the host of its audience is one of `names`, ignoring case and port, and
 * the path of its audience is `path` or leads to it by whole segments: "db" covers "db" and
 * "db/below", not "db2". Otherwise it fails with CULVERT_TOKEN_AUDIENCE.
 *
 * Settings that the engine gives to an auth plugin, which therefore declares them. For a listener
 * or sender: `key_name` (text) and `key` (secret), or `signature` (text) where the connection
 * string has a ready token; for a single token (culvert sas token) also `token_lifetime_s`
 * (integer), where the operator names one. For a relay: none. All others are the plugin's own, see
 * culvert_config_key.
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
  void *owner;          /* the engine's */
  culvert_arena *arena; /* for the token */
  culvert_view audience;
  /* results */
  culvert_status status;
  culvert_view token;
  uint64_t token_id;     /* the plugin's own number for this token, which refused() gets */
  int64_t expires_s;     /* Unix seconds; 0: not known; never negative */
  int64_t renew_after_s; /* the same: when to ask for another token */
};

typedef struct culvert_rule {
  culvert_view name; /* compared ignoring case */
  uint32_t rights;   /* bits of enum culvert_right; MANAGE implies the others */
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
  culvert_view path;         /* of the request, whole and decoded, without a leading '/' */
  const culvert_rule *rules; /* those that apply to the path: the entity's, then the relay's */
  const culvert_view *names; /* the relay's own host names, without ports */
  uint32_t name_count;
  uint32_t right_wanted; /* one bit of enum culvert_right */
  int64_t wall_s;        /* the time now, in Unix seconds */
  /* results */
  culvert_status status; /* CULVERT_OK, or one of CULVERT_TOKEN_... */
  uint32_t rights;       /* granted; with CULVERT_OK the wanted one or MANAGE among them */
  uint32_t reserved;
  int64_t expires_s; /* as the token says, without grace; 0: not known; never negative */
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
  /* The relay refused this token. 1: the next acquire() gives another one that is worth a try. */
  uint32_t (*refused)(void *instance, uint64_t token_id);
  uint32_t (*verify)(void *instance, culvert_verify *record);
  /* Since ABI 1.1; each may be NULL. */
  void (*cancel_acquire)(void *instance, culvert_acquire *record);
  void (*cancel_verify)(void *instance, culvert_verify *record);
} culvert_auth;

#ifdef __cplusplus
}
#endif
#endif
