// A request head at the relay's half of transport_azure, what it says to each outcome, and the way
// of a sender through an offer to a listener and back. Input: the request target, then a line for
// each field, NAME:VALUE.
//
// A sender's token never travels on and is never logged. An address that the relay gave out leads
// to the same path with the same capability, whatever the sender's own query says.
#include "azure_plugin.hpp"

#include "transport_azure/text.hpp"

#include <string>

using namespace culvert::fuzz;

namespace {

constexpr std::string_view kToken = "Se~cret~of~a~sender";
constexpr std::string_view kCapability = "00c0ffee00c0ffee00c0ffee00c0ffee";

using Fields = std::vector<culvert_field>;

std::string_view text(culvert_view view) {
  return {view.data, view.size};
}

culvert_field field(std::string_view name, std::string_view value) {
  return {view(name), view(value), 0, 0};
}

/// One connection at the relay, and what its head was read as.
struct Asked {
  Asked(std::string_view target, const Fields &fields) {
    culvert_head head{};
    head.size = sizeof head;
    head.form = CULVERT_HEAD_HTTP;
    head.method = view("GET");
    head.target = view(target);
    head.fields = fields.data();
    head.field_count = static_cast<std::uint32_t>(fields.size());
    head.remote_host = view("192.0.2.7");
    intent.size = sizeof intent;
    AzureRelay &relay = azure_relay();
    understood = relay.kind.on_head(relay.instance, &head, &room, &intent, &error) != 0;
    must(understood || error.code != CULVERT_OK);
  }
  Room room;
  culvert_intent intent{};
  culvert_status error = no_error();
  bool understood = false;
};

void hides_token(culvert_view said) {
  must(text(said).find(kToken) == std::string_view::npos);
}

void hides_token(const culvert_answer &answer) {
  hides_token(answer.reason);
  hides_token(answer.body);
  for (std::uint32_t i = 0; i < answer.field_count; ++i) {
    hides_token(answer.fields[i].value);
  }
}

void check_outcomes(const culvert_intent &intent) {
  AzureRelay &relay = azure_relay();
  for (const std::uint32_t code : {CULVERT_TOKEN_MISSING, CULVERT_NO_LISTENER, CULVERT_TIMEOUT}) {
    culvert_outcome_request request{};
    request.size = sizeof request;
    request.stage = CULVERT_STAGE_HEAD;
    request.facts = intent.facts;
    culvert_status why = no_error();
    why.code = code;
    request.why = &why;
    Room answers;
    culvert_answer answer{};
    culvert_status error = no_error();
    if (relay.kind.outcome(relay.instance, &request, &answers, &answer, &error) != 0) {
      must(answer.status >= 200 && answer.status <= 599 && answer.reason.size <= 512);
      hides_token(answer);
    }
  }
}

/// The path is what a client would ask for that writes it anew.
void check_path(std::string_view path, const Fields &upgrade) {
  must(!path.starts_with('/') && !path.ends_with('/'));
  const std::string target = "/$hc/" + azure::path_encode(path) + "?sb-hc-action=connect";
  const Asked again(target, upgrade);
  must(again.understood && text(again.intent.path) == path);
}

/// The listener dials what the relay offers, to accept and to refuse.
void check_dial(culvert_view offer, bool accepts, std::string_view path, const Fields &upgrade) {
  AzureTransport &transport = azure_transport();
  Room room;
  culvert_link_description link{};
  link.size = sizeof link;
  culvert_status error = no_error();
  const culvert_status why = no_error();
  must((accepts
            ? transport.kind.accept(transport.instance, offer, &room, &link, &error)
            : transport.kind.reject(transport.instance, offer, &why, &room, &link, &error)) != 0);
  must(text(link.host) == "relay.example" && link.port == 443);
  hides_token(link.target);
  const Asked asked(text(link.target), upgrade);
  must(asked.understood);
  must(asked.intent.verb == (accepts ? CULVERT_VERB_ACCEPT : CULVERT_VERB_REJECT));
  must(text(asked.intent.capability) == kCapability && text(asked.intent.path) == path);
}

void check_offer(const culvert_intent &intent, const Fields &upgrade) {
  AzureRelay &relay = azure_relay();
  culvert_offer_request request{};
  request.size = sizeof request;
  request.public_port = 443;
  request.public_host = view("relay.example");
  request.facts = intent.facts;
  request.capability = view(kCapability);
  Room room;
  culvert_message offer{};
  culvert_status error = no_error();
  if (relay.kind.offer(relay.instance, &request, &room, &offer, &error) == 0) {
    must(error.code == CULVERT_TOO_LARGE);
    return;
  }
  hides_token(offer.bytes);
  AzureTransport &transport = azure_transport();
  Room taken;
  culvert_channel_result result{};
  result.size = sizeof result;
  std::uint64_t word = 0;
  must(transport.kind.on_message(transport.instance, &word, &offer, &taken, &result, &error) != 0);
  must(result.action == CULVERT_CHANNEL_OFFER);
  must(text(result.loggable_id) == text(intent.loggable_id));
  check_dial(result.message.bytes, true, text(intent.path), upgrade);
  check_dial(result.message.bytes, false, text(intent.path), upgrade);
}

void check(std::string_view target, const Fields &fields) {
  const Asked asked(target, fields);
  if (!asked.understood) {
    return;
  }
  const culvert_intent &intent = asked.intent;
  for (const culvert_view said :
       {intent.path, intent.authority, intent.loggable_id, intent.facts, intent.listener_id}) {
    hides_token(said);
  }
  hides_token(intent.answer);
  hides_token(intent.peer_answer);
  check_outcomes(intent);
  static const Fields upgrade{field("Upgrade", "websocket"), field("Connection", "Upgrade"),
                              field("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")};
  if (intent.verb == CULVERT_VERB_LISTEN || intent.verb == CULVERT_VERB_CONNECT) {
    check_path(text(intent.path), upgrade);
  }
  if (intent.verb == CULVERT_VERB_CONNECT) {
    check_offer(intent, upgrade);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string_view rest = culvert::fuzz::text(data, size);
  if (rest.find(kToken) != std::string_view::npos) {
    return 0;
  }
  const std::string_view target = take_line(rest);
  Fields fields;
  while (!rest.empty() && fields.size() < 120) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      fields.push_back(field(line.substr(0, colon), line.substr(colon + 1)));
    }
  }
  check(target, fields);
  std::string with_token(target);
  with_token += with_token.find('?') == std::string::npos ? "?" : "&";
  for (const char *spelling : {"sb-hc-token=", "&SB-HC-Token=", "&%73b-hc%2Dtoken="}) {
    with_token += spelling + std::string(kToken);
  }
  fields.push_back(field("ServiceBusAuthorization", kToken));
  check(with_token, fields);
  return 0;
}
