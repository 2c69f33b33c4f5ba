/*
 * The plugin ABI of Culvert: what every plugin and every kind of plugin shares.
 *
 * Plugins share the process and are trusted; this ABI protects against mistakes and version skew,
 * not against malice. A plugin describes, the engine moves bytes: no function here runs for each
 * buffer.
 *
 * The rules, for both sides:
 *  1. C11, fixed-width integers, no exception, no errno, no FILE crosses this line.
 *  2. A view is bytes that somebody else owns: an argument until the call returns, a result until
 * the engine has copied it, which it does before it calls the same instance again. Text is UTF-8
 *     without a terminating NUL.
 *  3. Results are written where the engine says: into the arena of the call; or they are constants,
 *     or parts of that call's own arguments.
 *     Nothing is freed across the boundary.
 *  4. A struct that starts with its size is zero where nothing is said and only ever grows at its
 *     end (but culvert_status); neither side reads beyond the size the other side stated. A struct
 *     without a size never changes.
 *  5. A unit is made and destroyed on the control thread; an instance belongs to one shard, all its
 *     functions run there, one at a time, never from inside a call of the plugin, and return at
 * once.
 *  6. Time, randomness and secrets come from the services of the host only; a plugin has no thread,
 *     no mutable static and opens no socket.
 *  7. A function that is handed a `culvert_status *error` and returns uint32_t returns 1 for
 * success and 0 for failure; a failure fills in the status.
 *  8. A plugin is never unmapped while the process runs.
 *  9. The numbers of an enumeration are fixed, and more may come. A code that a side does not know
 *     reads as CULVERT_INTERNAL, a source as CULVERT_SOURCE_PLUGIN, a retry as CULVERT_RETRY_NEVER.
 *     A plugin that is handed another number it does not know fails the call. The engine refuses
 *     one of a plugin's: a verb as unsupported, another as a mistake. A plugin that needs a newer
 *     engine says so in its entry.
 */
#ifndef CULVERT_PLUGIN_H
#define CULVERT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI's major version is part of the entry's name. A minor only adds. */
#define CULVERT_ABI_MINOR 0u
#define CULVERT_PLUGIN_MAGIC UINT64_C(0x31474c5054564c43) /* "CLVTPLG1" in memory order */

typedef struct culvert_view {
  const char *data; /* may be NULL when size is 0 */
  size_t size;
} culvert_view;

/*
 * Room for the results of one call. `used` grows; what does not fit makes the call fail. `data` is
 * aligned for every type; arrays of fields and views are placed aligned for theirs (helpers.h).
 */
typedef struct culvert_arena {
  char *data;
  size_t capacity;
  size_t used;
} culvert_arena;

/* What happened. */
enum culvert_code {
  CULVERT_OK = 0,
  CULVERT_CANCELLED = 1,
  CULVERT_TIMEOUT = 2,
  CULVERT_REFUSED = 3,
  CULVERT_UNREACHABLE = 4,
  CULVERT_RESET = 5,
  CULVERT_TRUNCATED = 6,
  CULVERT_PROTOCOL = 7,
  CULVERT_TOO_LARGE = 8,
  CULVERT_TLS = 9,
  CULVERT_REJECTED = 10,
  CULVERT_TOKEN_MISSING = 11,
  CULVERT_TOKEN_MALFORMED = 12,
  CULVERT_TOKEN_SIGNATURE = 13,
  CULVERT_TOKEN_EXPIRED = 14,
  CULVERT_TOKEN_AUDIENCE = 15,
  CULVERT_TOKEN_RIGHT = 16,
  CULVERT_NO_ENTITY = 17,
  CULVERT_NO_LISTENER = 18,
  CULVERT_GONE = 19,
  CULVERT_OVERLOAD = 20,
  CULVERT_SHUTTING_DOWN = 21,
  CULVERT_NO_NAME = 22,
  CULVERT_NO_MEMORY = 23,
  CULVERT_NO_DESCRIPTOR = 24,
  CULVERT_UNSUPPORTED = 25,
  CULVERT_CONFIG = 26,
  CULVERT_INTERNAL = 27
};

/* Who caused it. */
enum culvert_source {
  CULVERT_SOURCE_LOCAL = 0,
  CULVERT_SOURCE_RELAY = 1,
  CULVERT_SOURCE_TARGET = 2,
  CULVERT_SOURCE_PLUGIN = 3,
  CULVERT_SOURCE_CONFIG = 4
};

/* What trying again needs. A role asks for a token and for addresses once before it starts, and
   does not start on an answer of NEVER. */
enum culvert_retry {
  CULVERT_RETRY_NEVER = 0,
  CULVERT_RETRY_NOW = 1,
  CULVERT_RETRY_BACKOFF = 2,
  CULVERT_RETRY_NEW_TOKEN = 3
};

/* `message` is one sentence for an operator, NUL-terminated, without secrets. It stands inside
   other records and so never grows; its size is there to be checked. */
typedef struct culvert_status {
  uint32_t size;
  uint32_t code;
  uint32_t source;
  uint32_t retry;
  uint32_t peer_status; /* HTTP status or WebSocket close code the other side gave, else 0 */
  int32_t os_error;     /* errno value, else 0 */
  char message[512];
} culvert_status;

typedef struct culvert_field {
  culvert_view name;
  culvert_view value;
  uint32_t secret; /* 1: never logged, kept out of everything but the request itself */
  uint32_t reserved;
} culvert_field;

enum culvert_message_kind { CULVERT_BINARY = 0, CULVERT_TEXT = 1 };

typedef struct culvert_message {
  culvert_view bytes;
  uint32_t kind; /* enum culvert_message_kind */
  uint32_t reserved;
} culvert_message;

/* What a connection says first. */
enum culvert_head_form {
  CULVERT_HEAD_NONE = 0,
  CULVERT_HEAD_HTTP = 1,   /* an HTTP/1.1 GET, answered by a response head */
  CULVERT_HEAD_MESSAGE = 2 /* one message behind a 16-bit length, answered by another */
};

/* How bytes are framed after the heads. */
enum culvert_framing {
  CULVERT_FRAMING_RAW = 0,
  CULVERT_FRAMING_WEBSOCKET =
      1, /* RFC 6455; with HEAD_HTTP the engine writes the Sec-WebSocket-... fields of both heads;
            who answers says HTTP 101 (`answer`, and `peer_answer` to a parked sender) */
  CULVERT_FRAMING_MESSAGES = 2 /* 16-bit big-endian length, then that many bytes */
};

/* --- the host -----------------------------------------------------------------------------------
 */

typedef struct culvert_host culvert_host;

/* One host is handed to each unit and one to each instance; valid until destroy() or detach(). */
struct culvert_host {
  uint32_t size;
  uint32_t abi_minor;
  /* The functions of a service (service.h), or NULL when this host does not offer it. */
  const void *(*service)(const culvert_host *host, const char *id);
};

/* --- the life of a unit --------------------------------------------------------------------------
 */

/*
 * Every kind's functions begin with these. Each may be NULL: without create() the unit is NULL and
 * creates nothing; without attach() the instance is the unit, shared by all shards at once: it must
 * not change after create(), and its functions call no service. attach() and detach() run on the
 * shard; attach() of several shards may run at once, each reading the same unit. detach() comes
 * when none of the instance's records is pending, destroy() after the last detach().
 */
typedef struct culvert_life {
  void *(*create)(const culvert_host *host, culvert_status *error); /* NULL is failure */
  void (*destroy)(void *unit);
  void *(*attach)(void *unit, const culvert_host *host, uint32_t shard, culvert_status *error);
  void (*detach)(void *instance);
} culvert_life;

/* --- the entry -----------------------------------------------------------------------------------
 */

enum culvert_config_type {
  CULVERT_CONFIG_TEXT = 0,
  CULVERT_CONFIG_INTEGER = 1,
  CULVERT_CONFIG_BOOLEAN = 2,
  CULVERT_CONFIG_SECRET = 3, /* the plugin gets a reference, never the bytes */
  CULVERT_CONFIG_LIST = 4    /* of texts */
};

/* The host refuses keys that are not declared, values of another type and missing required ones. */
typedef struct culvert_config_key {
  const char *name;
  const char *summary;       /* one line for an operator */
  const char *default_value; /* as text: "12", "true", "one,two"; NULL: none; a secret has none */
  uint32_t type;             /* enum culvert_config_type */
  uint32_t required;
} culvert_config_key;

typedef struct culvert_kind {
  const char *id;        /* "culvert.kind.transport/1" */
  const void *functions; /* the struct of that kind */
} culvert_kind;

/* Plain data, checked before any function of the plugin runs. All pointers last for ever. */
typedef struct culvert_plugin {
  uint64_t magic;              /* CULVERT_PLUGIN_MAGIC */
  uint32_t size;               /* sizeof(culvert_plugin) */
  uint32_t abi_minor;          /* built against */
  uint32_t abi_minor_required; /* the least a host must offer */
  uint32_t kind_count;
  const culvert_kind *kinds;
  const char *id;      /* the file's name without .so: lower-case letters, digits, '_' */
  const char *version; /* of the plugin, semver text */
  const char *vendor;
  const char *license; /* SPDX */
  const char *summary; /* one line */
  const char *build_note;
  const culvert_config_key *config_keys;
  uint32_t config_key_count;
  uint32_t service_count;
  const char *const *services; /* ids this plugin cannot work without */
} culvert_plugin;

/* CULVERT_PLUGIN_ENTRY = { CULVERT_PLUGIN_MAGIC, sizeof(culvert_plugin), ... }; once in a plugin.
 */
#define CULVERT_JOIN_(a, b) a##b
#define CULVERT_JOIN(a, b) CULVERT_JOIN_(a, b)
#ifdef CULVERT_STATIC_PLUGIN
#define CULVERT_PLUGIN_SYMBOL CULVERT_JOIN(culvert_plugin_v1_, CULVERT_STATIC_PLUGIN)
#else
#define CULVERT_PLUGIN_SYMBOL culvert_plugin_v1
#endif
#ifdef __cplusplus
#define CULVERT_PLUGIN_ENTRY                                                                       \
  extern "C" __attribute__((visibility("default"))) const culvert_plugin CULVERT_PLUGIN_SYMBOL;    \
  const culvert_plugin CULVERT_PLUGIN_SYMBOL
#else
#define CULVERT_PLUGIN_ENTRY                                                                       \
  extern __attribute__((visibility("default"))) const culvert_plugin CULVERT_PLUGIN_SYMBOL;        \
  const culvert_plugin CULVERT_PLUGIN_SYMBOL
#endif

#ifdef __cplusplus
}
#endif
#endif
