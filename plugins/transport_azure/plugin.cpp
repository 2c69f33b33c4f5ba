// The Azure Relay Hybrid Connections protocol, both halves. An instance keeps nothing but its host:
// the protocol has no state between calls.
#include "answers.hpp"
#include "channel.hpp"
#include "client.hpp"
#include "facts.hpp"
#include "head.hpp"
#include "protocol.hpp"

#include "culvert/plugin.hpp"

namespace azure {
namespace {

using culvert::sdk::Arena;
using culvert::sdk::Host;

class ClientHalf final : public culvert::sdk::Transport {
public:
  ClientHalf(Host host, std::uint32_t) : host_(host) {}

  culvert_view audience(const culvert_entity_address &entity, Arena arena) override {
    return azure::audience(entity, arena);
  }
  void listen(const culvert_dial_request &request, Arena arena,
              culvert_link_description &link) override {
    describe_dial(request, "listen", arena, link);
    link.ping_interval_ms = kChannelPingIntervalMs;
  }
  void dial(const culvert_dial_request &request, Arena arena,
            culvert_link_description &link) override {
    describe_dial(request, "connect", arena, link);
    add_app_address(request, arena, link);
  }
  void prove(const culvert_dial_request &request, Arena arena,
             culvert_link_description &link) override {
    describe_proof(request, arena, link);
  }
  void on_reply(culvert_purpose purpose, const culvert_reply &reply, Arena,
                culvert_reply_result &result) override {
    azure::on_reply(purpose, reply, result);
  }
  void on_message(std::uint64_t &, const culvert_message &message, Arena arena,
                  culvert_channel_result &result) override {
    on_channel_message(host_, message, arena, result);
  }
  void accept(std::string_view offer, Arena arena, culvert_link_description &link) override {
    describe_accept(offer, arena, link);
  }
  void reject(std::string_view offer, const culvert_status &why, Arena arena,
              culvert_link_description &link) override {
    describe_reject(offer, why, arena, link);
  }
  culvert_message renew(std::uint64_t &, std::string_view token, Arena arena) override {
    return write_renewal(token, arena);
  }

private:
  Host host_;
};

class RelayHalf final : public culvert::sdk::Relay {
public:
  RelayHalf(Host host, std::uint32_t) : host_(host) {}

  void on_head(const culvert_head &head, Arena arena, culvert_intent &intent) override {
    azure::on_head(host_, head, arena, intent);
  }
  void on_message(std::uint64_t &, const culvert_channel_message &said, Arena arena,
                  culvert_intent &intent) override {
    on_channel_message(host_, said.message, arena, intent);
  }
  culvert_message offer(const culvert_offer_request &request, Arena arena) override {
    return write_offer(request, arena);
  }
  void outcome(const culvert_outcome_request &request, Arena arena,
               culvert_answer &answer) override {
    if (request.stage == CULVERT_STAGE_CHANNEL) {
      write_close(*request.why, arena, answer);
      return;
    }
    const Facts facts = read_facts(culvert::sdk::text(request.facts)).value_or(Facts{});
    write_refusal(host_, facts, refusal_of(facts, *request.why), arena, answer);
  }

private:
  Host host_;
};

constexpr const char *kAlpn[] = {"http/1.1"};
constexpr culvert_relay kRelay =
    culvert::sdk::relay_functions<RelayHalf>(CULVERT_HEAD_HTTP, kAlpn, 1);
constexpr culvert_kind kKinds[] = {{CULVERT_KIND_TRANSPORT, &culvert::sdk::kTransport<ClientHalf>},
                                   {CULVERT_KIND_RELAY, &kRelay}};
constexpr const char *kServices[] = {CULVERT_SERVICE_CLOCK, CULVERT_SERVICE_RANDOM,
                                     CULVERT_SERVICE_LOG};

} // namespace
} // namespace azure

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        2,
                        azure::kKinds,
                        "transport_azure",
                        "0.1.0",
                        "Culvert",
                        "Apache-2.0",
                        "Azure Relay Hybrid Connections over WebSocket, both halves",
                        "",
                        nullptr,
                        0,
                        3,
                        azure::kServices};
