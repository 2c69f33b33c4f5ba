#include "head.hpp"

#include "answers.hpp"
#include "facts.hpp"
#include "ids.hpp"
#include "json.hpp"
#include "protocol.hpp"
#include "target.hpp"
#include "text.hpp"

#include <map>
#include <vector>

namespace azure {
namespace {

using culvert::sdk::text;

constexpr std::string_view kTokenHeader = "ServiceBusAuthorization";
/// An entity has 25 listeners at the service; the engine takes 256 ids of a kind.
constexpr std::size_t kListenerIds = 256;

/// One connection while its head is read.
struct Reading {
  const culvert::sdk::Host &host;
  const culvert_head &head;
  culvert::sdk::Arena arena;
  culvert_intent &intent;
  Target target;
  Facts facts;
};

/// The values of all fields of a name, joined as HTTP allows.
std::string field(const culvert_head &head, std::string_view name) {
  std::string value;
  for (std::uint32_t i = 0; i < head.field_count; ++i) {
    if (equal_ignoring_case(text(head.fields[i].name), name)) {
      value += value.empty() ? "" : ", ";
      value += text(head.fields[i].value);
    }
  }
  return value;
}

std::vector<std::string> list(std::string_view value) {
  std::vector<std::string> items;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    std::string_view item = value.substr(0, comma);
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    const std::size_t first = item.find_first_not_of(" \t");
    if (first != std::string_view::npos) {
      item = item.substr(first, item.find_last_not_of(" \t") - first + 1);
      items.emplace_back(item);
    }
  }
  return items;
}

bool lists(std::string_view value, std::string_view wanted) {
  for (const std::string &item : list(value)) {
    if (equal_ignoring_case(item, wanted)) {
      return true;
    }
  }
  return false;
}

/// It does not look at the version: the engine answers a wrong one with 426.
bool is_upgrade(const culvert_head &head) {
  const std::string key = field(head, "Sec-WebSocket-Key");
  return text(head.method) == "GET" && lists(field(head, "Upgrade"), "websocket") &&
         lists(field(head, "Connection"), "upgrade") && key.size() == 24 && key.ends_with("==");
}

void refuse(Reading &reading, std::uint32_t status, std::string_view sentence) {
  reading.intent.verb = CULVERT_VERB_ANSWER;
  write_refusal(reading.host, reading.facts, {status, std::string(sentence)}, reading.arena,
                reading.intent.answer);
}

/// All of the sender's fields but its token, for the listener: a name that comes twice is one
/// member with its values joined, and every value is a string.
std::string connect_headers(const culvert_head &head) {
  struct Member {
    std::string_view name;
    std::string value;
  };
  std::vector<Member> members;
  std::map<std::string, std::size_t> known; // no hashes: the peer could make them collide
  for (std::uint32_t i = 0; i < head.field_count; ++i) {
    const std::string_view name = text(head.fields[i].name);
    if (equal_ignoring_case(name, kTokenHeader)) {
      continue;
    }
    const auto [at, fresh] = known.try_emplace(lower(name), members.size());
    if (fresh) {
      members.push_back({name, std::string(text(head.fields[i].value))});
    } else {
      members[at->second].value += ", ";
      members[at->second].value += text(head.fields[i].value);
    }
  }
  std::string result = "{";
  for (const Member &member : members) {
    result += result.size() > 1 ? "," : "";
    result += json_string(member.name) + ":" + json_string(member.value);
  }
  return result + "}";
}

std::string token_of(const Reading &reading) {
  const std::string header = field(reading.head, kTokenHeader);
  return header.empty() ? reading.target.token.value_or("") : header;
}

const culvert_view *put_ids(culvert::sdk::Arena arena, const std::vector<std::string> &ids,
                            std::uint32_t &count) {
  std::vector<culvert_view> views;
  views.reserve(ids.size());
  for (const std::string &id : ids) {
    const std::string known = listener_id(id);
    views.push_back(arena.copy(known.empty() ? lower(id) : known)); // that is no listener's id
  }
  count = static_cast<std::uint32_t>(ids.size());
  return arena.views(views);
}

void read_listen(Reading &reading) {
  reading.facts.role = Role::kListener;
  const std::string known = listener_id(reading.target.id.value_or(""));
  reading.intent.verb = CULVERT_VERB_LISTEN;
  reading.intent.listener_id =
      reading.arena.copy(known.empty() ? reading.facts.tracking.substr(0, 36) : known);
  reading.intent.token = reading.arena.copy(token_of(reading));
  reading.intent.largest_message = kLargestControlMessage;
  write_switching("", reading.arena, reading.intent.answer);
}

void read_connect(Reading &reading) {
  Facts &facts = reading.facts;
  const auto allowed = list(field(reading.head, "Microsoft-Relay-AllowedListeners"));
  const auto denied = list(field(reading.head, "Microsoft-Relay-DisallowedListeners"));
  facts.role = Role::kSender;
  facts.raw_path = reading.target.raw_path;
  facts.query = reading.target.query;
  facts.headers = connect_headers(reading.head);
  facts.remote_host = text(reading.head.remote_host);
  facts.remote_port = static_cast<std::uint16_t>(reading.head.remote_port);
  const bool too_many = allowed.size() > kListenerIds || denied.size() > kListenerIds;
  if (too_many || write_facts(facts).size() > kFactsBytes) {
    facts.raw_path = facts.query = facts.headers = "";
    refuse(reading, 431, "The request's header fields are too large.");
    return;
  }
  culvert_intent &intent = reading.intent;
  intent.verb = CULVERT_VERB_CONNECT;
  intent.token = reading.arena.copy(token_of(reading));
  intent.allowed = put_ids(reading.arena, allowed, intent.allowed_count);
  intent.denied = put_ids(reading.arena, denied, intent.denied_count);
}

bool is_capability(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// 100 to 999, or 0.
std::uint32_t status_number(std::string_view text) {
  if (text.size() != 3 || text.find_first_not_of("0123456789") != std::string_view::npos ||
      text[0] == '0') {
    return 0;
  }
  return static_cast<std::uint32_t>(std::stoul(std::string(text)));
}

/// A listener's dial to an address of an offer: it fetches the sender or, with a status, refuses
/// it.
void read_rendezvous(Reading &reading) {
  const Target &target = reading.target;
  culvert_intent &intent = reading.intent;
  reading.facts.role = Role::kRendezvous;
  if (!target.capability || !is_capability(*target.capability)) {
    refuse(reading, 400, "This is not an address that the relay gave out.");
    return;
  }
  intent.capability = reading.arena.copy(*target.capability);
  if (!target.status_code) {
    const auto chosen = list(field(reading.head, "Sec-WebSocket-Protocol"));
    const std::string protocol = chosen.empty() ? "" : chosen.front();
    intent.verb = CULVERT_VERB_ACCEPT;
    write_switching(protocol, reading.arena, intent.answer);
    write_switching(protocol, reading.arena, intent.peer_answer);
    return;
  }
  const std::uint32_t status = status_number(*target.status_code);
  if (status == 0) {
    refuse(reading, 400, "sb-hc-statusCode must be a number from 100 to 999.");
    return;
  }
  intent.verb = CULVERT_VERB_REJECT;
  write_gone(reading.arena, intent.answer);
  write_rejection(status, target.status_description.value_or(""), reading.arena,
                  intent.peer_answer);
}

void read_action(Reading &reading) {
  const std::string action = lower(reading.target.action.value_or("connect"));
  if (action == "listen") {
    read_listen(reading);
  } else if (action == "connect" || action.empty()) {
    read_connect(reading);
  } else if (action == "accept") {
    read_rendezvous(reading);
  } else if (action == "request") {
    refuse(reading, 501, "HTTP requests are not supported by this relay.");
  } else {
    refuse(reading, 400, "The value of sb-hc-action is unknown; use listen or connect.");
  }
}

} // namespace

void on_head(const culvert::sdk::Host &host, const culvert_head &head, culvert::sdk::Arena arena,
             culvert_intent &intent) {
  Reading reading{host, head, arena, intent, read_target(text(head.target)), {}};
  Target &target = reading.target;
  Facts &facts = reading.facts;
  facts.tracking = tracking_id(host, target.id.value_or(""));
  facts.authority = clean(field(head, "Host"), 300);
  facts.path = target.path;
  intent.framing = CULVERT_FRAMING_WEBSOCKET;
  intent.ping_interval_ms = kPingIntervalMs;
  if (!target.valid) {
    refuse(reading, 400, "The request target is malformed.");
  } else if (!target.web_socket) {
    const bool management = equal_ignoring_case(field(head, "X-PROCESS-AT"), "ServiceBus");
    refuse(reading, 501,
           management ? "Management requests are not supported by this relay."
                      : "HTTP requests are not supported by this relay: open a web-socket below "
                        "/$hc/ instead.");
  } else if (!is_upgrade(head)) {
    refuse(reading, 400, "This endpoint is only for web-socket requests.");
  } else {
    read_action(reading);
    if (intent.verb == CULVERT_VERB_LISTEN) {
      intent.ping_interval_ms = kChannelPingIntervalMs;
    }
  }
  intent.path = arena.copy(facts.path);
  intent.authority = arena.copy(facts.authority);
  intent.loggable_id = arena.copy(facts.tracking);
  intent.facts = arena.copy(write_facts(facts));
}

} // namespace azure
