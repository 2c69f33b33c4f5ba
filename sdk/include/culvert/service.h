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

#ifdef __cplusplus
}
#endif
#endif
