/*
 * culvert.kind.resolver/1: from a name to its addresses. The engine itself resolves no name.
 *
 * resolve() returns CULVERT_DONE or CULVERT_PENDING, as acquire() does (auth.h), and cancel() is
 * for resolve() what cancel_acquire() is for acquire().
 *
 * The engine gives it the setting `resolve`, a list of NAME=ADDR[,ADDR], where the operator wrote
 * --resolve. All others are the plugin's own, see culvert_config_key.
 */
#ifndef CULVERT_RESOLVER_H
#define CULVERT_RESOLVER_H

#include "culvert/auth.h"
#include "culvert/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CULVERT_KIND_RESOLVER "culvert.kind.resolver/1"
#define CULVERT_MOST_ADDRESSES 16u

enum culvert_family { CULVERT_IPV4 = 4, CULVERT_IPV6 = 6 };

typedef struct culvert_address {
  uint32_t family;   /* enum culvert_family */
  uint8_t bytes[16]; /* network order; IPv4 uses the first four */
} culvert_address;

typedef struct culvert_resolve culvert_resolve;
struct culvert_resolve {
  uint32_t size;
  uint32_t reserved;
  void (*complete)(culvert_resolve *record);
  void *owner;
  culvert_view name; /* a host name or an IP literal */
  /* results */
  culvert_status status;
  uint32_t
      address_count;    /* 1 to CULVERT_MOST_ADDRESSES; no address is a failure, CULVERT_NO_NAME */
  uint32_t lifetime_ms; /* how long the answer may be used again */
  culvert_address addresses[CULVERT_MOST_ADDRESSES]; /* in the order in which to try them */
};

typedef struct culvert_resolver {
  uint32_t size;
  uint32_t reserved;
  culvert_life life;

  uint32_t (*resolve)(void *instance, culvert_resolve *record);
  /* Since ABI 1.1; may be NULL. */
  void (*cancel)(void *instance, culvert_resolve *record);
} culvert_resolver;

#ifdef __cplusplus
}
#endif
#endif
