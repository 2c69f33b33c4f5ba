/* A resolver that says it will answer later, and never does: "once" is answered for the instance
   that is attached first, which is the one that a role asks before it starts. With BLOCKS it never
   returns either. */
#include "culvert/helpers.h"
#include "culvert/resolver.h"
#include "culvert/service.h"

#include <stdlib.h>
#include <unistd.h>

static void *create(const culvert_host *host, culvert_status *error) {
  (void)host, (void)error;
  return calloc(1, sizeof(uint32_t));
}

struct instance {
  const culvert_host *host;
  uint32_t number;
};

static void *attach(void *unit, const culvert_host *host, uint32_t shard, culvert_status *error) {
  struct instance *const made = calloc(1, sizeof *made);
  (void)shard, (void)error;
  made->host = host;
  made->number = ++*(uint32_t *)unit;
  return made;
}

static uint32_t resolve(void *self, culvert_resolve *record) {
  const struct instance *const instance = self;
  if (instance->number > 1 || !culvert_view_equal(record->name, culvert_view_text("once"))) {
    const culvert_log *const log = instance->host->service(instance->host, CULVERT_SERVICE_LOG);
    log->write(instance->host, CULVERT_LOG_INFO, culvert_view_text("will not answer"));
#ifdef BLOCKS
    for (;;) {
      pause();
    }
#endif
    return CULVERT_PENDING;
  }
  record->address_count = 1;
  record->addresses[0].family = CULVERT_IPV4;
  record->addresses[0].bytes[0] = 127;
  record->addresses[0].bytes[3] = 1;
  return CULVERT_DONE;
}

static const culvert_resolver resolver = {
    .size = sizeof resolver, .life = {create, free, attach, free}, .resolve = resolve};
static const culvert_kind kinds[] = {{CULVERT_KIND_RESOLVER, &resolver}};

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        kinds,
                        "resolver_late",
                        "1.0.0",
                        "Culvert's tests",
                        "Apache-2.0",
                        "never answers",
                        "",
                        NULL,
                        0,
                        0,
                        NULL};
