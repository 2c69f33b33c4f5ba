/* An auth plugin as one could be written against the first headers: the token is the audience it is
 * for. */
#include "culvert/auth.h"
#include "culvert/helpers.h"

static const char kPrefix[] = "v1 ";

static uint32_t acquire(void *instance, culvert_acquire *record) {
  (void)instance;
  if (!culvert_arena_format(record->arena, &record->token, "%s%.*s", kPrefix,
                            CULVERT_PRINT(record->audience))) {
    culvert_fail_room(&record->status);
  }
  record->token_id = 1;
  return CULVERT_DONE;
}

static uint32_t refused(void *instance, uint64_t token_id) {
  (void)instance;
  (void)token_id;
  return 0; /* the next one is the same */
}

static uint32_t verify(void *instance, culvert_verify *record) {
  (void)instance;
  if (!culvert_view_starts_with(record->token, culvert_view_text(kPrefix))) {
    culvert_fail(&record->status, CULVERT_TOKEN_MALFORMED, CULVERT_SOURCE_RELAY,
                 CULVERT_RETRY_NEVER, "no token of auth_v1");
    return CULVERT_DONE;
  }
  record->rights = record->right_wanted;
  record->expires_s = record->wall_s + 3600;
  return CULVERT_DONE;
}

static const culvert_config_key keys[] = {
    {"key_name", "not read", NULL, CULVERT_CONFIG_TEXT, 0},
    {"key", "not read", NULL, CULVERT_CONFIG_SECRET, 0},
    {"signature", "not read", NULL, CULVERT_CONFIG_TEXT, 0},
    {"token_lifetime_s", "not read", "3600", CULVERT_CONFIG_INTEGER, 0},
};
static const culvert_auth auth = {sizeof auth, 0,       {NULL, NULL, NULL, NULL},
                                  acquire,     refused, verify};
static const culvert_kind kinds[] = {{CULVERT_KIND_AUTH, &auth}};

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        kinds,
                        "auth_v1",
                        "1.0.0",
                        "Culvert",
                        "Apache-2.0",
                        "tokens for tests",
                        "",
                        keys,
                        4,
                        0,
                        NULL};
