// Shared access signatures: a listener or sender makes them, a relay verifies them.
#include "acquire.hpp"
#include "verify.hpp"

#include "culvert/plugin.hpp"

namespace sas {
namespace {

class SharedAccess final : public culvert::sdk::Auth {
public:
  SharedAccess(const Settings &settings, culvert::sdk::Host host, std::uint32_t)
      : host_(host), settings_(settings), signer_(settings, host) {}

  culvert_progress acquire(culvert_acquire &record) override {
    signer_.acquire(record);
    return CULVERT_DONE;
  }
  bool refused(std::uint64_t token_id) override { return signer_.refused(token_id); }
  culvert_progress verify(culvert_verify &record) override {
    sas::verify(host_, settings_.clock_skew_s, record);
    return CULVERT_DONE;
  }

private:
  culvert::sdk::Host host_;
  const Settings &settings_;
  Signer signer_;
};

constexpr culvert_kind kKinds[] = {
    {CULVERT_KIND_AUTH, &culvert::sdk::kAuth<SharedAccess, Settings>}};
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
    {"clock_skew_s", "how long after its end a relay still takes a token", "300",
     CULVERT_CONFIG_INTEGER, 0},
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
                        6,
                        3,
                        sas::kServices};
