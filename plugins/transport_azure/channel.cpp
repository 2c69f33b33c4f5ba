#include "channel.hpp"

#include "facts.hpp"
#include "json.hpp"
#include "protocol.hpp"
#include "target.hpp"
#include "text.hpp"

#include <string>
#include <vector>

namespace azure {
namespace {

using culvert::sdk::text;

constexpr std::uint32_t kGoingAway = 1001;
constexpr std::uint32_t kProtocolError = 1002;
constexpr std::uint32_t kPolicyViolation = 1008;
constexpr std::uint32_t kMessageTooBig = 1009;
constexpr std::uint32_t kInternalError = 1011;

/// The parameters follow the sender's own query, and the capability is the last of them: target.cpp
/// relies on both.
std::string accept_address(const culvert_offer_request &request, const Facts &facts) {
  std::string address = "wss://" + authority(text(request.public_host), request.public_port);
  address += "/$hc/" + facts.raw_path + "?" + facts.query + (facts.query.empty() ? "" : "&");
  address += "sb-hc-action=accept&sb-hc-id=" + facts.tracking;
  address += "&" + std::string(kCapabilityName) + "=" + std::string(text(request.capability));
  return address;
}

void say_close(std::uint32_t code, culvert_view reason, culvert_answer &answer) {
  answer.form = CULVERT_ANSWER_CLOSE;
  answer.status = code;
  answer.reason = reason;
}

void close_channel(culvert_intent &intent, std::string_view reason) {
  intent.verb = CULVERT_VERB_ANSWER;
  say_close(kPolicyViolation, culvert::sdk::view(reason), intent.answer);
}

std::uint32_t close_code(const culvert_status &why) {
  switch (why.code) {
  case CULVERT_SHUTTING_DOWN:
  case CULVERT_NO_ENTITY:
  case CULVERT_GONE: // another listener has this one's place
    return kGoingAway;
  case CULVERT_PROTOCOL:
    return kProtocolError;
  case CULVERT_TOKEN_MISSING:
  case CULVERT_TOKEN_MALFORMED:
  case CULVERT_TOKEN_SIGNATURE:
  case CULVERT_TOKEN_EXPIRED:
  case CULVERT_TOKEN_AUDIENCE:
  case CULVERT_TOKEN_RIGHT:
  case CULVERT_UNSUPPORTED:
    return kPolicyViolation;
  case CULVERT_TOO_LARGE:
    return kMessageTooBig;
  default:
    return kInternalError;
  }
}

} // namespace

void write_close(const culvert_status &why, culvert::sdk::Arena arena, culvert_answer &answer) {
  say_close(close_code(why), arena.copy(why.message), answer);
}

culvert_message write_offer(const culvert_offer_request &request, culvert::sdk::Arena arena) {
  const auto facts = read_facts(text(request.facts));
  if (!facts || facts->role != Role::kSender) {
    throw culvert::sdk::Error(CULVERT_INTERNAL, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                              "the facts of a sender cannot be read");
  }
  const std::string address = accept_address(request, *facts);
  if (address.size() > kLargestAddress) {
    throw culvert::sdk::Error(CULVERT_TOO_LARGE, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEVER,
                              "the sender's request target does not fit into an offer");
  }
  std::string json = "{\"accept\":{\"address\":" + json_string(address);
  json += ",\"id\":" + json_string(facts->tracking);
  json += ",\"connectHeaders\":" + facts->headers;
  json += ",\"remoteEndpoint\":{\"address\":" + json_string(facts->remote_host);
  json += ",\"port\":" + std::to_string(facts->remote_port) + "}}}";
  if (json.size() >= kLargestOffer) {
    throw culvert::sdk::Error(CULVERT_TOO_LARGE, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEVER,
                              "the sender's header fields do not fit into an offer");
  }
  return {arena.copy(json), CULVERT_TEXT, 0};
}

void on_channel_message(const culvert::sdk::Host &host, const culvert_message &message,
                        culvert::sdk::Arena arena, culvert_intent &intent) {
  intent.verb = CULVERT_VERB_IGNORE;
  if (message.kind != CULVERT_TEXT) {
    host.log(CULVERT_LOG_DEBUG, "ignored a binary message on a control channel");
    return;
  }
  std::vector<JsonWanted> wanted{{"renewToken", "token"}};
  const JsonMessage json = read_json(text(message.bytes), wanted);
  if (!json.valid) {
    close_channel(intent, "The control message is not a JSON object.");
  } else if (!json.has("renewToken")) {
    host.log(CULVERT_LOG_DEBUG, "ignored a control message of a kind that this relay does not use");
  } else if (!wanted[0].found) {
    close_channel(intent, "The renewToken message has no token.");
  } else if (wanted[0].value.size() > kLargestToken) {
    close_channel(intent, "The token of the renewToken message is longer than 40 KiB.");
  } else {
    intent.verb = CULVERT_VERB_RENEW;
    intent.token = arena.copy(wanted[0].value);
  }
}

} // namespace azure
