// What the tests of both halves of the Azure protocol share.
#pragma once

#include "unit/plugins_common/fake_host.hpp"

#include "culvert/relay.h"
#include "culvert/transport.h"

#include <algorithm>
#include <map>
#include <utility>

extern "C" const culvert_plugin culvert_plugin_v1_transport_azure;

namespace culvert_test {

inline constexpr char kGuid[] = "0f8fad5b-d9cb-469f-a165-70867728950e";
inline constexpr char kCapability[] = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

using Headers = std::vector<std::pair<std::string, std::string>>;

inline Headers upgrade_headers() {
  return {{"Host", "relay.test:9443"},
          {"Upgrade", "websocket"},
          {"Connection", "Upgrade"},
          {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
          {"Sec-WebSocket-Version", "13"}};
}

struct ReadAnswer {
  uint32_t form = 0;
  uint32_t status = 0;
  std::string reason;
  std::map<std::string, std::string> fields;
};

inline ReadAnswer read(const culvert_answer &answer) {
  ReadAnswer result{answer.form, answer.status, text(answer.reason), {}};
  for (uint32_t i = 0; i < answer.field_count; ++i) {
    result.fields[text(answer.fields[i].name)] = text(answer.fields[i].value);
  }
  return result;
}

struct ReadIntent {
  uint32_t verb = 0;
  std::string path, token, capability, listener_id, authority, loggable_id, facts;
  std::vector<std::string> allowed, denied;
  ReadAnswer answer, peer_answer;
  uint32_t framing = 0;
  uint32_t ping_interval_ms = 0;
};

inline ReadIntent read(const culvert_intent &intent) {
  ReadIntent result{intent.verb,
                    text(intent.path),
                    text(intent.token),
                    text(intent.capability),
                    text(intent.listener_id),
                    text(intent.authority),
                    text(intent.loggable_id),
                    text(intent.facts),
                    {},
                    {},
                    read(intent.answer),
                    read(intent.peer_answer),
                    intent.framing,
                    intent.ping_interval_ms};
  for (uint32_t i = 0; i < intent.allowed_count; ++i) {
    result.allowed.push_back(text(intent.allowed[i]));
  }
  for (uint32_t i = 0; i < intent.denied_count; ++i) {
    result.denied.push_back(text(intent.denied[i]));
  }
  return result;
}

struct AzureRelay : testing::Test {
  AzureRelay() : relay(host, culvert_plugin_v1_transport_azure, CULVERT_KIND_RELAY) {}

  ReadIntent head(std::string_view target, const Headers &headers = upgrade_headers(),
                  std::string_view method = "GET") {
    std::vector<culvert_field> fields;
    for (const auto &[name, value] : headers) {
      fields.push_back({view(name), view(value), 0, 0});
    }
    culvert_head head{};
    head.size = sizeof head;
    head.form = CULVERT_HEAD_HTTP;
    head.method = view(method);
    head.target = view(target);
    head.fields = fields.data();
    head.field_count = static_cast<uint32_t>(fields.size());
    head.remote_host = view("203.0.113.9");
    head.remote_port = 62917;
    Room room;
    culvert_intent intent{};
    intent.size = sizeof intent;
    EXPECT_EQ(relay.kind.on_head(relay.instance, &head, &room, &intent, &error), 1U);
    return read(intent);
  }

  ReadIntent message(std::string_view bytes, uint32_t kind = CULVERT_TEXT) {
    const culvert_channel_message given{sizeof given, 0, {}, {view(bytes), kind, 0}};
    Room room;
    culvert_intent intent{};
    intent.size = sizeof intent;
    std::uint64_t word = 0;
    EXPECT_EQ(relay.kind.on_message(relay.instance, &word, &given, &room, &intent, &error), 1U);
    return read(intent);
  }

  /// The offer's text, or "" with the status in `error`.
  std::string offer(std::string_view facts, std::string_view public_host = "relay.test",
                    uint32_t public_port = 443) {
    culvert_offer_request request{};
    request.size = sizeof request;
    request.public_port = public_port;
    request.public_host = view(public_host);
    request.facts = view(facts);
    request.capability = view(kCapability);
    Room room;
    culvert_message made{};
    error = {};
    error.size = sizeof error;
    if (relay.kind.offer(relay.instance, &request, &room, &made, &error) == 0) {
      EXPECT_NE(error.code, uint32_t{CULVERT_OK});
      return {};
    }
    EXPECT_EQ(made.kind, uint32_t{CULVERT_TEXT});
    return text(made.bytes);
  }

  ReadAnswer outcome(std::string_view facts, uint32_t code, const char *sentence = "",
                     uint32_t peer_status = 0) {
    culvert_status why{};
    why.size = sizeof why;
    why.code = code;
    why.peer_status = peer_status;
    std::snprintf(why.message, sizeof why.message, "%s", sentence);
    return outcome(CULVERT_STAGE_HEAD, facts, why);
  }

  ReadAnswer outcome(culvert_stage stage, std::string_view facts, const culvert_status &why) {
    const culvert_outcome_request request{sizeof request, stage, view(facts), &why};
    Room room;
    culvert_answer answer{};
    EXPECT_EQ(relay.kind.outcome(relay.instance, &request, &room, &answer, &error), 1U);
    return read(answer);
  }

  FakeHost host;
  Plugged<culvert_relay> relay;
  culvert_status error{};
};

} // namespace culvert_test
