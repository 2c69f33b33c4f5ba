// A relay plugin and verifier that keeps the rules of the ABI, but for the one that its setting
// names.
#include "culvert/plugin.hpp"

namespace {

namespace sdk = culvert::sdk;

class Rule {
public:
  explicit Rule(sdk::Host host) : word_(host.config_text("breaks")) {}
  [[nodiscard]] bool broken(std::string_view name) const { return word_ == name; }

private:
  std::string word_;
};

class Relay final : public sdk::Relay {
public:
  Relay(const Rule &rule, sdk::Host, std::uint32_t) : rule_(rule) {}
  void on_head(const culvert_head &, sdk::Arena, culvert_intent &intent) override {
    if (!rule_.broken("on_head")) {
      throw sdk::Error(CULVERT_PROTOCOL, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER, "not mine");
    }
    intent.verb = CULVERT_VERB_ANSWER;
    intent.answer.form = 77;
  }
  void on_message(std::uint64_t &, const culvert_channel_message &, sdk::Arena,
                  culvert_intent &) override {}
  culvert_message offer(const culvert_offer_request &, sdk::Arena) override { return {}; }
  void outcome(const culvert_outcome_request &, sdk::Arena, culvert_answer &answer) override {
    answer.form = rule_.broken("outcome") ? 77 : CULVERT_ANSWER_NONE;
  }

private:
  const Rule &rule_;
};

class Auth final : public sdk::Auth {
public:
  Auth(const Rule &rule, sdk::Host, std::uint32_t) : rule_(rule) {}
  culvert_progress acquire(culvert_acquire &) override { return never(); }
  bool refused(std::uint64_t) override { return false; }
  culvert_progress verify(culvert_verify &record) override {
    if (rule_.broken("complete")) {
      return never();
    }
    record.rights = rule_.broken("verify") ? 0 : record.right_wanted;
    return CULVERT_DONE;
  }

private:
  /// The engine does not detach an instance that never completes; a search for leaks finds it here.
  culvert_progress never() {
    next_ = last_;
    last_ = this;
    return CULVERT_PENDING;
  }

  static inline const Auth *volatile last_ = nullptr;
  const Rule &rule_;
  const Auth *next_ = nullptr;
};

constexpr const char *kAlpn[] = {"breaks/1"};
constexpr culvert_relay kRelay = sdk::relay_functions<Relay, Rule>(
    CULVERT_HEAD_HTTP, static_cast<const char *const *>(kAlpn), 1);
const culvert_kind kKinds[] = {{CULVERT_KIND_RELAY, &kRelay},
                               {CULVERT_KIND_AUTH, &sdk::kAuth<Auth, Rule>}};
const culvert_config_key kKeys[] = {
    {"breaks", "none, on_head, outcome, verify or complete", "none", CULVERT_CONFIG_TEXT, 0},
    {"key_name", "not used", "", CULVERT_CONFIG_TEXT, 0},
    {"key", "not used", nullptr, CULVERT_CONFIG_SECRET, 0}};

} // namespace

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        2,
                        kKinds,
                        "breaks",
                        "1.0.0",
                        "Culvert",
                        "MIT",
                        "breaks",
                        "",
                        kKeys,
                        3,
                        0,
                        nullptr};
