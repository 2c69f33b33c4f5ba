/*
 * The plugin ABI of Culvert: what all plugins and all kinds of plugin have in common.
 *
 * A plugin describes: what to dial, what to say, what an answer means. The engine moves the bytes,
 * and calls no function of a plugin for each buffer. Plugins run in the engine's process and are
 * trusted: this ABI protects against mistakes and version skew, not against malice.
 *
 * The rules, for both sides:
 *  1. C11 and fixed-width integers. No exception, errno or FILE crosses the boundary.
 *  2. A view points at bytes that it does not own. An argument is valid until the call returns. A
 *     result must stay valid until the engine has copied it, which it does before it calls the same
 *     instance again. Text is UTF-8 without a terminating NUL.
 *  3. A result is written into the arena of the call, or it is a constant, or a part of the
 *     arguments of the same call. Nothing is freed across the boundary.
 *  4. A struct that begins with its size is handed over zeroed and only grows at its end
 *     (culvert_status never grows). Neither side reads beyond the size that the other side stated.
 *     A struct without a size never changes.
 *  5. A unit is one configured use of a plugin; it is made and destroyed on the control thread. An
 *     instance is that use on one shard (one event loop): all its functions, and what it starts
 *     with a watch or timer, run there, one at a time, and never from inside a call of the plugin.
 *     They return at once. One that takes more
 *     than 50 ms is a warning in the log, because every connection of its shard waits meanwhile.
 *  6. Time, randomness and secrets come from the host's services only, and so does the wait for a
 *     timer or a descriptor. A plugin starts no thread, has no static variable that changes, and
 *     opens no socket but to look up names or tokens, never to carry a stream.
 *  7. A function that gets a `culvert_status *error` and returns uint32_t returns 1 for success and
 *     0 for failure; when it fails it fills in the status.
 *  8. A plugin stays loaded until the process ends.
 *  9. The numbers of an enumeration are fixed, and later versions may add some. Unknown numbers: a
 *     plugin fails the call; the engine rejects an unknown verb as unsupported and every other
 *     unknown number as the plugin's error. Both sides read an unknown code as CULVERT_INTERNAL, an
 *     unknown source as CULVERT_SOURCE_PLUGIN and an unknown retry as CULVERT_RETRY_NEVER. A plugin
 *     that needs a newer engine says so in its entry.
 */
#ifndef CULVERT_PLUGIN_H
#define CULVERT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI's major version is part of the entry's name. A minor only adds. */
#define CULVERT_ABI_MINOR 1u
#define CULVERT_PLUGIN_MAGIC UINT64_C(0x31474c5054564c43) /* "CLVTPLG1" in memory order */

typedef struct culvert_view {
  const char *data; /* may be NULL when size is 0 */
  size_t size;
} culvert_view;

/*
 * Room for the results of one call. Whoever writes into it moves `used` forward; when a result does
 * not fit, the call fails. `data` is aligned for every type. An array of fields or views must be
 * aligned too: the functions of helpers.h do that.
 */
typedef struct culvert_arena {
  char *data;
  size_t capacity;
  size_t used;
} culvert_arena;

/* What happened. */
enum culvert_code {
  CULVERT_OK = 0,
  CULVERT_CANCELLED = 1,        /* this side asked for it */
  CULVERT_TIMEOUT = 2,          /* a deadline passed */
  CULVERT_REFUSED = 3,          /* nobody listens at that address */
  CULVERT_UNREACHABLE = 4,      /* no route to that address */
  CULVERT_RESET = 5,            /* the other end broke the stream */
  CULVERT_TRUNCATED = 6,        /* the stream ended where it must not */
  CULVERT_PROTOCOL = 7,         /* the other side sent something malformed */
  CULVERT_TOO_LARGE = 8,        /* a bound would be exceeded */
  CULVERT_TLS = 9,              /* the handshake or the verification failed */
  CULVERT_REJECTED = 10,        /* the other side said no; peer_status has its number */
  CULVERT_TOKEN_MISSING = 11,   /* there is no token where one is needed */
  CULVERT_TOKEN_MALFORMED = 12, /* the token cannot be read */
  CULVERT_TOKEN_SIGNATURE = 13, /* the token is signed with another key */
  CULVERT_TOKEN_EXPIRED = 14,   /* the token's time is over */
  CULVERT_TOKEN_AUDIENCE = 15,  /* the token is made for something else */
  CULVERT_TOKEN_RIGHT = 16,     /* the token's rule does not have the right */
  CULVERT_NO_ENTITY = 17,       /* the relay has no such entity */
  CULVERT_NO_LISTENER = 18,     /* no listener is connected for the entity */
  CULVERT_GONE = 19,            /* what is there no more: a capability, an app, a channel */
  CULVERT_OVERLOAD = 20,        /* a limit on how many is reached */
  CULVERT_SHUTTING_DOWN = 21,   /* this side is draining */
  CULVERT_NO_NAME = 22,         /* the name has no address */
  CULVERT_NO_MEMORY = 23,
  CULVERT_NO_DESCRIPTOR = 24,
  CULVERT_UNSUPPORTED = 25, /* understood, but not implemented */
  CULVERT_CONFIG = 26,      /* a setting that cannot work */
  CULVERT_INTERNAL = 27,    /* a fault of this program, or of a plugin */
  CULVERT_QUOTA = 28,       /* an entity has all that it may have, for example listeners */
  CULVERT_NONE_ALLOWED = 29 /* listeners are connected, but none that this sender asks for */
};

/* Who caused it. */
enum culvert_source {
  CULVERT_SOURCE_LOCAL = 0,
  CULVERT_SOURCE_RELAY = 1,
  CULVERT_SOURCE_TARGET = 2,
  CULVERT_SOURCE_PLUGIN = 3,
  CULVERT_SOURCE_CONFIG = 4,
  CULVERT_SOURCE_PROXY = 5 /* the HTTP proxy on the way to the relay; the host alone says so */
};

/* Whether a new attempt can succeed, and what it needs. Before it starts, a listener or sender asks
   once for a token and for addresses. It does not start when the answer is NEVER, or when the
   plugin itself is at fault (CULVERT_INTERNAL of CULVERT_SOURCE_PLUGIN, or a broken rule). */
enum culvert_retry {
  CULVERT_RETRY_NEVER = 0,
  CULVERT_RETRY_NOW = 1,
  CULVERT_RETRY_BACKOFF = 2,
  CULVERT_RETRY_NEW_TOKEN = 3
};

/* `message` is one sentence for an operator, NUL-terminated and without secrets. This struct is a
   member of others, so it never grows. */
typedef struct culvert_status {
  uint32_t size;
  uint32_t code;
  uint32_t source;
  uint32_t retry;
  uint32_t peer_status; /* the other side's HTTP status or WebSocket close code, else 0 */
  int32_t os_error;     /* an errno value, else 0 */
  char message[512];
} culvert_status;

typedef struct culvert_field {
  culvert_view name;
  culvert_view value;
  uint32_t secret; /* 0 or 1; 1: stands in the request and nowhere else, never in a log */
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
  CULVERT_HEAD_HTTP = 1,   /* an HTTP/1.1 GET request; the answer is a response head */
  CULVERT_HEAD_MESSAGE = 2 /* one message after a 16-bit length; the answer is another one */
};

/* How bytes are framed after the heads. */
enum culvert_framing {
  CULVERT_FRAMING_RAW = 0,
  CULVERT_FRAMING_WEBSOCKET = 1, /* RFC 6455. With HEAD_HTTP the engine adds the Sec-WebSocket-...
                                    fields to both heads, and the answer that accepts (`answer`, and
                                    `peer_answer` to a waiting sender) has the HTTP status 101. */
  CULVERT_FRAMING_MESSAGES = 2   /* 16-bit big-endian length, then that many bytes */
};

/* --- the host -----------------------------------------------------------------------------------
 */

typedef struct culvert_host culvert_host;

/* Each unit and each instance gets a host of its own, valid until destroy() or detach() has
   returned. */
struct culvert_host {
  uint32_t size;
  uint32_t abi_minor;
  /* The functions of a service (service.h), or NULL when this host does not offer it. */
  const void *(*service)(const culvert_host *host, const char *id);
};

/* --- the life of a unit --------------------------------------------------------------------------
 */

/*
 * The functions of every kind begin with these; each may be NULL.
 *
 * create() makes the unit; without it the unit is NULL. attach() makes an instance; without it the
 * unit is the instance of all shards at once: it must not change after create(), and its functions
 * must not call a service. attach() and detach() run on the shard. attach() may run on several
 * shards at the same time, each reading the same unit. detach() is called when none of the
 * instance's records is pending, destroy() after the last detach().
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

/* A setting of the plugin. The operator gives it with --set PLUGIN.KEY=VALUE, an embedder in
   EngineConfig. The host refuses settings that are not declared, values of another type and missing
   required settings, before create(). */
typedef struct culvert_config_key {
  const char *name;
  const char *summary;       /* one line for an operator */
  const char *default_value; /* as text: "12", "true", "one,two"; NULL: none. No secret has one */
  uint32_t type;             /* enum culvert_config_type */
  uint32_t required;
} culvert_config_key;

typedef struct culvert_kind {
  const char *id;        /* "culvert.kind.transport/1" */
  const void *functions; /* the struct of that kind */
} culvert_kind;

/* Plain data, checked before any function of the plugin runs. All pointers stay valid until the
   process ends. At most 64 kinds, 64 settings and 64 services. */
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

/* Once in each plugin: CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC, sizeof(culvert_plugin), ...};
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
