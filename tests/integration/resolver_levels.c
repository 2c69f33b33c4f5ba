/* A resolver that logs a line of each level whenever it is asked, and answers 127.0.0.1. */
#include "culvert/helpers.h"
#include "culvert/resolver.h"
#include "culvert/service.h"

static void *attach(void *unit, const culvert_host *host, uint32_t shard, culvert_status *error) {
  (void)unit, (void)shard, (void)error;
  return (void *)host;
}

static uint32_t resolve(void *instance, culvert_resolve *record) {
  static const char *const lines[] = {"it says error", "it says warn", "it says info",
                                      "it says debug", "it says trace"};
  const culvert_host *host = instance;
  const culvert_log *log = host->service(host, CULVERT_SERVICE_LOG);
  for (uint32_t level = CULVERT_LOG_ERROR; level <= CULVERT_LOG_TRACE; ++level) {
    log->write(host, level, culvert_view_text(lines[level]));
  }
  record->address_count = 1;
  record->addresses[0].family = CULVERT_IPV4;
  memcpy(record->addresses[0].bytes, "\x7f\x00\x00\x01", 4);
  return CULVERT_DONE;
}

static const culvert_resolver resolver = {
    .size = sizeof resolver, .life = {NULL, NULL, attach, NULL}, .resolve = resolve};
static const culvert_kind kinds[] = {{CULVERT_KIND_RESOLVER, &resolver}};
static const char *const services[] = {CULVERT_SERVICE_LOG};

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        kinds,
                        "resolver_levels",
                        "1.0.0",
                        "Culvert's tests",
                        "Apache-2.0",
                        "logs on every level",
                        "",
                        NULL,
                        0,
                        1,
                        services};
