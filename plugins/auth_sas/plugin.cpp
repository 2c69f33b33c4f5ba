// Shared access signatures: made for those who dial, verified for a relay. The border to C.
#include "../glue.hpp"
#include "acquire.hpp"
#include "verify.hpp"

#include "culvert/auth.h"

#include <exception>
#include <memory>

namespace sas {
namespace {

Signer *signer(void *instance) {
  return static_cast<Signer *>(instance);
}

void out_of_memory(culvert_status *status) {
  culvert_glue::fail(status, CULVERT_NO_MEMORY, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_BACKOFF,
                     "out of memory");
}

/// A unit and an instance are the same thing; the unit shows early that the configuration works.
void *make(const culvert_host *host, culvert_status *error) {
  try {
    auto made = std::make_unique<Signer>(host);
    return made->configure(error) != 0 ? made.release() : nullptr;
  } catch (const std::exception &) {
    out_of_memory(error);
    return nullptr;
  }
}

void drop(void *made) {
  delete signer(made);
}

void *attach(void *, const culvert_host *host, uint32_t, culvert_status *error) {
  return make(host, error);
}

uint32_t auth_acquire(void *instance, culvert_acquire *record) {
  try {
    signer(instance)->acquire(*record);
  } catch (const std::exception &) {
    out_of_memory(&record->status);
  }
  return CULVERT_DONE;
}

uint32_t auth_refused(void *instance, uint64_t token_id) {
  return signer(instance)->refused(token_id) ? 1 : 0;
}

uint32_t auth_verify(void *instance, culvert_verify *record) {
  try {
    verify(signer(instance)->host(), *record);
  } catch (const std::exception &) {
    record->rights = 0;
    out_of_memory(&record->status);
  }
  return CULVERT_DONE;
}

constexpr culvert_auth kAuth = {
    sizeof(culvert_auth), 0, {make, drop, attach, drop}, auth_acquire, auth_refused, auth_verify};
constexpr culvert_kind kKinds[] = {{CULVERT_KIND_AUTH, &kAuth}};
constexpr const char *kServices[] = {CULVERT_SERVICE_CLOCK, CULVERT_SERVICE_CONFIG,
                                     CULVERT_SERVICE_SECRET};
constexpr culvert_config_key kKeys[] = {
    {"key_name", "name of the rule whose key signs", nullptr, CULVERT_CONFIG_TEXT, 0},
    {"key", "the rule's key", nullptr, CULVERT_CONFIG_SECRET, 0},
    {"second_key", "the rule's other key, used when the first is refused", nullptr,
     CULVERT_CONFIG_SECRET, 0},
    {"signature", "a ready SharedAccessSignature token, instead of a key", nullptr,
     CULVERT_CONFIG_TEXT, 0},
    {"token_lifetime_s", "how long a token is good for", "3600", CULVERT_CONFIG_INTEGER, 0},
};

} // namespace
} // namespace sas

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        sas::kKinds,
                        "auth_sas",
                        "0.1.0",
                        "Culvert",
                        "Apache-2.0",
                        "Shared access signatures: makes and verifies tokens",
                        "",
                        sas::kKeys,
                        5,
                        3,
                        sas::kServices};
