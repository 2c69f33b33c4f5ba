/*
 * A resolver that answers 127.0.0.1, and a mistake in its entry where a target asks for one.
 */
#include "culvert/helpers.h"
#include "culvert/resolver.h"
#include "culvert/service.h"

#include <stdlib.h>
#include <unistd.h>

#ifndef ENTRY_ID
#define ENTRY_ID "plain"
#endif
#ifndef ENTRY_MAGIC
#define ENTRY_MAGIC CULVERT_PLUGIN_MAGIC
#endif
#ifndef ENTRY_MINOR_REQUIRED
#define ENTRY_MINOR_REQUIRED 0
#endif

#ifdef CRASHES
__attribute__((constructor)) static void crash(void) {
  abort();
}
#endif

#ifdef EXITS
__attribute__((constructor)) static void leave(void) {
  exit(0);
}
#endif

#ifdef HANGS
__attribute__((constructor)) static void hang(void) {
  for (;;) {
    pause();
  }
}
#endif

#ifdef UNRESOLVED
uint32_t culvert_test_absent(void);
#else
static uint32_t culvert_test_absent(void) {
  return 1;
}
#endif

static uint32_t resolve(void *instance, culvert_resolve *record) {
  (void)instance;
  record->address_count = culvert_test_absent();
  record->addresses[0].family = CULVERT_IPV4;
  record->addresses[0].bytes[0] = 127;
  record->addresses[0].bytes[3] = 1;
  return CULVERT_DONE;
}

static const culvert_resolver resolver = {
    sizeof(culvert_resolver), 0, {NULL, NULL, NULL, NULL}, resolve, NULL};
static const culvert_kind kinds[] = {{CULVERT_KIND_RESOLVER, &resolver},
                                     {"culvert.kind.later/1", &resolver}};
static const culvert_config_key keys[] = {
    {"names", "names it knows", "a,b", CULVERT_CONFIG_LIST, 0}};
static const char *const services[] = {CULVERT_SERVICE_LOG};

#ifdef NO_ENTRY
int culvert_nothing(void);
int culvert_nothing(void) {
  return kinds[0].id != NULL && keys[0].name != NULL && services[0] != NULL;
}
#else
CULVERT_PLUGIN_ENTRY = {ENTRY_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        ENTRY_MINOR_REQUIRED,
                        2,
                        kinds,
                        ENTRY_ID,
                        "1.2.3",
                        "Culvert",
                        "MIT",
                        "answers 127.0.0.1",
                        "",
                        keys,
                        1,
                        1,
                        services};
#endif
