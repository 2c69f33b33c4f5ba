// A plugin in C++ that throws from every function, in every way its settings ask for.
#include "culvert/plugin.hpp"

#include <stdexcept>

namespace {

namespace sdk = culvert::sdk;

class How {
public:
  explicit How(sdk::Host host) : word_(host.config_text("throws")) {
    if (word_ == "create") {
      throw std::runtime_error("a secret");
    }
  }
  void operator()() const {
    if (word_ == "error") {
      throw sdk::Error(CULVERT_REJECTED, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEW_TOKEN, "401 no",
                       401);
    }
    if (word_ == "memory") {
      throw std::bad_alloc();
    }
    if (word_ == "number") {
      throw 7;
    }
    throw std::runtime_error("a secret");
  }
  [[nodiscard]] bool attach() const { return word_ == "attach"; }

private:
  std::string word_;
};

void check_attach(const How &how) {
  if (how.attach()) {
    throw sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER, "not on a shard");
  }
}

class Transport final : public sdk::Transport {
public:
  Transport(const How &how, sdk::Host, std::uint32_t) : how_(how) { check_attach(how); }
  culvert_view audience(const culvert_entity_address &, sdk::Arena) override {
    return how_(), culvert_view{};
  }
  void listen(const culvert_dial_request &, sdk::Arena arena,
              culvert_link_description &link) override {
    link.host = arena.copy("half.written");
    link.port = 443;
    how_();
  }
  void dial(const culvert_dial_request &, sdk::Arena, culvert_link_description &) override {
    how_();
  }
  void on_reply(culvert_purpose, const culvert_reply &, sdk::Arena,
                culvert_reply_result &result) override {
    result.verdict = CULVERT_VERDICT_DONE;
    how_();
  }
  void on_message(std::uint64_t &, const culvert_message &, sdk::Arena,
                  culvert_channel_result &) override {
    how_();
  }
  void accept(std::string_view, sdk::Arena, culvert_link_description &) override { how_(); }
  void reject(std::string_view, const culvert_status &, sdk::Arena,
              culvert_link_description &) override {
    how_();
  }

private:
  const How &how_;
};

class Relay final : public sdk::Relay {
public:
  Relay(const How &how, sdk::Host, std::uint32_t) : how_(how) { check_attach(how); }
  void on_head(const culvert_head &, sdk::Arena, culvert_intent &intent) override {
    intent.verb = CULVERT_VERB_LISTEN;
    how_();
  }
  void on_message(std::uint64_t &, const culvert_channel_message &, sdk::Arena,
                  culvert_intent &intent) override {
    intent.verb = CULVERT_VERB_RENEW;
    how_();
  }
  culvert_message offer(const culvert_offer_request &, sdk::Arena) override {
    return how_(), culvert_message{};
  }
  void outcome(const culvert_outcome_request &, sdk::Arena, culvert_answer &answer) override {
    answer.form = CULVERT_ANSWER_HTTP;
    answer.status = 200;
    how_();
  }
  void on_gone(std::uint64_t &) override { how_(); }

private:
  const How &how_;
};

class Auth final : public sdk::Auth {
public:
  Auth(const How &how, sdk::Host, std::uint32_t) : how_(how) { check_attach(how); }
  culvert_progress acquire(culvert_acquire &) override { return how_(), CULVERT_PENDING; }
  bool refused(std::uint64_t) override { return how_(), true; }
  culvert_progress verify(culvert_verify &record) override {
    record.rights = CULVERT_RIGHT_MANAGE;
    return how_(), CULVERT_PENDING;
  }

private:
  const How &how_;
};

class Resolver final : public sdk::Resolver {
public:
  Resolver(const How &how, sdk::Host, std::uint32_t) : how_(how) { check_attach(how); }
  culvert_progress resolve(culvert_resolve &record) override {
    record.address_count = 1;
    return how_(), CULVERT_PENDING;
  }

private:
  const How &how_;
};

constexpr const char *kAlpn[] = {"throws/1"};
constexpr culvert_relay kRelay =
    sdk::relay_functions<Relay, How>(CULVERT_HEAD_HTTP, static_cast<const char *const *>(kAlpn), 1);
const culvert_kind kKinds[] = {{CULVERT_KIND_TRANSPORT, &sdk::kTransport<Transport, How>},
                               {CULVERT_KIND_RELAY, &kRelay},
                               {CULVERT_KIND_AUTH, &sdk::kAuth<Auth, How>},
                               {CULVERT_KIND_RESOLVER, &sdk::kResolver<Resolver, How>}};
const culvert_config_key kKeys[] = {
    {"throws", "error, memory, number, other, create or attach", "other", CULVERT_CONFIG_TEXT, 0}};

} // namespace

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        4,
                        kKinds,
                        "throws",
                        "1.0.0",
                        "Culvert",
                        "MIT",
                        "throws",
                        "",
                        kKeys,
                        1,
                        0,
                        nullptr};
