/*
 * The services that a host offers to plugins: culvert_host.service returns the functions of one.
 *
 * The first argument of every function is the host that the service was asked from. With the host
 * of an instance a service is called on that shard only, with the host of a unit on the control
 * thread only.
 */
#ifndef CULVERT_SERVICE_H
#define CULVERT_SERVICE_H

#include "culvert/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CULVERT_SERVICE_LOG "culvert.service.log/1"
#define CULVERT_SERVICE_CLOCK "culvert.service.clock/1"
#define CULVERT_SERVICE_RANDOM "culvert.service.random/1"
#define CULVERT_SERVICE_CONFIG "culvert.service.config/1"
#define CULVERT_SERVICE_SECRET "culvert.service.secret/1"
#define CULVERT_SERVICE_WATCH "culvert.service.watch/1"
#define CULVERT_SERVICE_TIMER "culvert.service.timer/1"

enum culvert_log_level {
  CULVERT_LOG_ERROR = 0,
  CULVERT_LOG_WARN = 1,
  CULVERT_LOG_INFO = 2,
  CULVERT_LOG_DEBUG = 3,
  CULVERT_LOG_TRACE = 4
};

/* The host adds the plugin's id to each line, and cuts it at 1 KiB. Never log a token, a request
   target or a header value. */
typedef struct culvert_log {
  uint32_t size;
  uint32_t reserved;
  uint32_t (*enabled)(const culvert_host *host, uint32_t level);
  void (*write)(const culvert_host *host, uint32_t level, culvert_view message);
} culvert_log;

typedef struct culvert_clock {
  uint32_t size;
  uint32_t reserved;
  uint64_t (*monotonic_ns)(const culvert_host *host);
  int64_t (*wall_s)(const culvert_host *host); /* Unix seconds */
} culvert_clock;

/* Random bytes that are good enough for secrets. */
typedef struct culvert_random {
  uint32_t size;
  uint32_t reserved;
  void (*fill)(const culvert_host *host, void *bytes, size_t count);
} culvert_random;

/* The settings of this unit, by the names that the entry declares. A view is valid as long as the
   host. */
typedef struct culvert_config {
  uint32_t size;
  uint32_t reserved;
  culvert_view (*text)(const culvert_host *host, const char *key); /* empty when unset */
  int64_t (*integer)(const culvert_host *host, const char *key);   /* 0 when unset */
  uint32_t (*boolean)(const culvert_host *host, const char *key);  /* 0 when unset */
  uint64_t (*secret)(const culvert_host *host, const char *key);   /* a reference; 0 when unset */
  uint32_t (*count)(const culvert_host *host, const char *key);    /* of a list */
  culvert_view (*item)(const culvert_host *host, const char *key, uint32_t index);
} culvert_config;

/* Uses a secret that the plugin never sees. 0: there is no such secret. */
typedef struct culvert_secret {
  uint32_t size;
  uint32_t reserved;
  uint32_t (*hmac_sha256)(const culvert_host *host, uint64_t secret, culvert_view data,
                          uint8_t digest[32]);
} culvert_secret;

enum culvert_interest { CULVERT_READABLE = 0, CULVERT_WRITABLE = 1 };

/*
 * Waits for a descriptor of the plugin, for example the socket of a library.
 *
 * start() calls ready(context) once, from the shard's loop and never inside start(), when there are
 * bytes, a connection, room, an end or an error. That is a hint: the descriptor must not block, and
 * a read may still find nothing. For more it is started again; to wait for both, start two watches.
 * It returns the watch's number, never 0 and never used again. It returns 0 if the descriptor is
 * not open, if no other descriptor is left, if the instance has too many watches (never fewer than
 * 64 are allowed), and always for the host of a unit and in a simulation.
 *
 * The host waits on a duplicate, so the descriptor stays the plugin's, which keeps it open until
 * ready() runs or cancel() was called. The duplicate may keep the file open a moment longer. After
 * cancel() ready() does not run. A number whose ready() has begun, or 0, is ignored. What is left
 * after detach(), or after an attach() that failed, is cancelled and logged.
 *
 * start() and cancel() may be called from every function of the instance, from attach() to detach()
 * and from inside ready() and due(). No exception may leave ready() or due().
 */
typedef struct culvert_watch {
  uint32_t size;
  uint32_t reserved;
  uint64_t (*start)(const culvert_host *host, int32_t descriptor, uint32_t interest,
                    void (*ready)(void *context), void *context);
  void (*cancel)(const culvert_host *host, uint64_t watch);
} culvert_watch;

/* start() calls due(context) once, from the shard's loop and never inside start(), when `delay_ms`
   (366 days at most) have passed. Its numbers and cancel() are as a watch's. It returns 0 if the
   instance has too many timers (never fewer than 1,024 are allowed) and for the host of a unit. */
typedef struct culvert_timer {
  uint32_t size;
  uint32_t reserved;
  uint64_t (*start)(const culvert_host *host, uint64_t delay_ms, void (*due)(void *context),
                    void *context);
  void (*cancel)(const culvert_host *host, uint64_t timer);
} culvert_timer;

#ifdef __cplusplus
}
#endif
#endif
