/* A resolver that logs the settings it was given, and does what its setting `does` says: it answers
   127.0.0.1, takes long, or breaks one rule of the ABI. */
#define _POSIX_C_SOURCE 200809L

#include "culvert/helpers.h"
#include "culvert/resolver.h"
#include "culvert/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef AT_LOAD
__attribute__((constructor)) static void at_load(void) {
  AT_LOAD;
}
#endif

static void *create(const culvert_host *host, culvert_status *error) {
  const culvert_config *const config = host->service(host, CULVERT_SERVICE_CONFIG);
  const culvert_log *const log = host->service(host, CULVERT_SERVICE_LOG);
  const culvert_secret *const secrets = host->service(host, CULVERT_SERVICE_SECRET);
  const culvert_view text = config->text(host, "text");
  uint8_t digest[32] = {0};
  char line[400];
  uint32_t item;
  int length;
  culvert_view *does = calloc(1, sizeof *does);
  (void)error;
  (void)secrets->hmac_sha256(host, config->secret(host, "secret"), CULVERT_LITERAL("x"), digest);
  length = snprintf(line, sizeof line, "told text=%.*s integer=%lld boolean=%u secret=%02x%02x%02x",
                    CULVERT_PRINT(text), (long long)config->integer(host, "integer"),
                    (unsigned)config->boolean(host, "boolean"), digest[0], digest[1], digest[2]);
  for (item = 0; item < config->count(host, "list"); ++item) {
    const culvert_view one = config->item(host, "list", item);
    length +=
        snprintf(line + length, sizeof line - (size_t)length, " item=%.*s", CULVERT_PRINT(one));
  }
  log->write(host, CULVERT_LOG_INFO, culvert_view_text(line));
  *does = config->text(host, "does");
  return does;
}

static uint32_t resolve(void *unit, culvert_resolve *record) {
  const culvert_view does = *(const culvert_view *)unit;
  const struct timespec slow = {0, 60 * 1000 * 1000};
  record->address_count = culvert_view_equal(does, CULVERT_LITERAL("none"))   ? 0
                          : culvert_view_equal(does, CULVERT_LITERAL("many")) ? 17
                                                                              : 1;
  record->addresses[0].family =
      culvert_view_equal(does, CULVERT_LITERAL("family")) ? 0 : CULVERT_IPV4;
  record->addresses[0].bytes[0] = 127;
  record->addresses[0].bytes[3] = 1;
  if (culvert_view_equal(does, CULVERT_LITERAL("inside"))) {
    record->complete(record);
  }
  if (culvert_view_equal(does, CULVERT_LITERAL("slow"))) {
    nanosleep(&slow, NULL);
  }
  return culvert_view_equal(does, CULVERT_LITERAL("seven")) ? 7 : CULVERT_DONE;
}

static const culvert_resolver resolver = {
    .size = sizeof resolver, .life = {create, free, NULL, NULL}, .resolve = resolve};
static const culvert_kind kinds[] = {{CULVERT_KIND_RESOLVER, &resolver}};
static const culvert_config_key keys[] = {{"text", "a text", "unset", CULVERT_CONFIG_TEXT, 0},
                                          {"integer", "a number", "1", CULVERT_CONFIG_INTEGER, 0},
                                          {"boolean", "a switch", NULL, CULVERT_CONFIG_BOOLEAN, 0},
                                          {"secret", "a secret", NULL, CULVERT_CONFIG_SECRET, 0},
                                          {"list", "texts", NULL, CULVERT_CONFIG_LIST, 0},
                                          {"does", "what", "answers", CULVERT_CONFIG_TEXT, 0}};
static const char *const services[] = {CULVERT_SERVICE_LOG, CULVERT_SERVICE_CONFIG,
                                       CULVERT_SERVICE_SECRET};

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        kinds,
                        "resolver_told",
                        "1.0.0",
                        "Culvert's tests",
                        "Apache-2.0",
                        "does what it is told",
                        "",
                        keys,
                        6,
                        3,
                        services};
