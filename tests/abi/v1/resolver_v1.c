/* A resolver as one could be written against the first headers: it knows this machine and nothing
 * else. */
#include "culvert/helpers.h"
#include "culvert/resolver.h"

static uint32_t resolve(void *instance, culvert_resolve *record) {
  (void)instance;
  if (!culvert_view_equal(record->name, CULVERT_LITERAL("localhost")) &&
      !culvert_view_equal(record->name, CULVERT_LITERAL("127.0.0.1"))) {
    culvert_fail(&record->status, CULVERT_NO_NAME, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                 "resolver_v1 does not know '%.*s'", CULVERT_PRINT(record->name));
    return CULVERT_DONE;
  }
  record->address_count = 1;
  record->addresses[0].family = CULVERT_IPV4;
  memcpy(record->addresses[0].bytes, "\x7f\x00\x00\x01", 4);
  return CULVERT_DONE;
}

static const culvert_config_key keys[] = {
    {"resolve", "not read", NULL, CULVERT_CONFIG_LIST, 0},
};
static const culvert_resolver resolver = {sizeof resolver, 0, {NULL, NULL, NULL, NULL}, resolve};
static const culvert_kind kinds[] = {{CULVERT_KIND_RESOLVER, &resolver}};

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        kinds,
                        "resolver_v1",
                        "1.0.0",
                        "Culvert",
                        "Apache-2.0",
                        "knows localhost",
                        "",
                        keys,
                        1,
                        0,
                        NULL};
