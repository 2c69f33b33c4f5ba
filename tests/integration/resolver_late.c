/* A resolver that says it will answer later, and never does. */
#include "culvert/helpers.h"
#include "culvert/resolver.h"

static uint32_t resolve(void *instance, culvert_resolve *record) {
  (void)instance, (void)record;
  return CULVERT_PENDING;
}

static const culvert_resolver resolver = {sizeof resolver, 0, {NULL, NULL, NULL, NULL}, resolve};
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
