#include "client.hpp"

#include "json.hpp"
#include "protocol.hpp"
#include "text.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <string>
#include <vector>

namespace azure {
namespace {

using culvert::sdk::text;

/// The longest reason that a sender's library shows whole; encoding makes it up to three times as
/// long.
constexpr std::size_t kDescriptionBytes = 256;
constexpr std::size_t kLoggableBytes = 128;
constexpr char kNoAddress[] = "the relay's offer has an address that is not wss://host/...";

struct Address {
  std::string host;
  std::uint16_t port = 443;
  std::string_view target;
};

[[noreturn]] void refuse_offer(const char *sentence) {
  throw culvert::sdk::Error(CULVERT_PROTOCOL, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEVER, sentence);
}

/// Boost.URL reads the scheme and the authority only. What follows the first '/' is sent back to
/// the relay as it is: real addresses hold "{}", "|" and raw UTF-8, which Boost.URL refuses.
bool read_address(std::string_view address, Address &result) {
  const std::size_t scheme_end = address.find("://");
  if (scheme_end == std::string_view::npos || !is_target_text(address)) {
    return false;
  }
  const std::size_t slash = address.find_first_of("/?#", scheme_end + 3);
  if (slash == std::string_view::npos || address[slash] != '/') {
    return false;
  }
  const auto url = boost::urls::parse_uri(address.substr(0, slash));
  // Boost 1.81 reads "host:x" as a host with the path "x", and 99999 as 34463.
  if (url.has_error() || url->scheme_id() != boost::urls::scheme::wss || url->has_userinfo() ||
      url->encoded_host().empty() || !url->encoded_path().empty()) {
    return false;
  }
  std::uint64_t port = result.port;
  if (url->has_port() && culvert_view_number(culvert::sdk::view(url->port()), 65535, &port) == 0) {
    return false;
  }
  result.host = url->host_address();
  result.port = static_cast<std::uint16_t>(port);
  result.target = address.substr(slash);
  return result.port != 0;
}

void describe(std::string_view host, std::uint32_t port, std::string_view target,
              culvert::sdk::Arena arena, culvert_link_description &link) {
  link.tls = 1;
  link.host = arena.copy(host);
  link.port = port;
  link.server_name = link.host;
  link.alpn = culvert::sdk::view("http/1.1");
  link.head_form = CULVERT_HEAD_HTTP;
  link.target = arena.copy(target);
  link.authority = arena.copy(authority(host, port));
  link.framing = CULVERT_FRAMING_WEBSOCKET;
  link.ping_interval_ms = kPingIntervalMs;
  link.largest_message = kLargestControlMessage;
}

void dial_address(std::string_view address, std::string_view more, culvert::sdk::Arena arena,
                  culvert_link_description &link) {
  Address parts;
  if (!read_address(address, parts)) {
    refuse_offer(kNoAddress);
  }
  describe(parts.host, parts.port, std::string(parts.target) + std::string(more), arena, link);
}

std::string_view bare_path(culvert_view path) {
  std::string_view bare = text(path);
  while (!bare.empty() && bare.front() == '/') {
    bare.remove_prefix(1);
  }
  while (!bare.empty() && bare.back() == '/') {
    bare.remove_suffix(1);
  }
  return bare;
}

} // namespace

culvert_view audience(const culvert_entity_address &entity, culvert::sdk::Arena arena) {
  // As .NET writes it: always http, no port, a slash at the end.
  const std::string host = lower(authority(text(entity.host), 443));
  const std::string_view path = bare_path(entity.path);
  return arena.join({"http://", host, "/", path_encode(path), path.empty() ? "" : "/"});
}

void describe_dial(const culvert_dial_request &request, const char *action,
                   culvert::sdk::Arena arena, culvert_link_description &link) {
  const std::string_view path = bare_path(request.entity.path);
  if (path.empty()) {
    throw culvert::sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                              "no entity is named: write EntityPath=NAME in the connection string");
  }
  const std::string target = "/$hc/" + path_encode(path) + "?sb-hc-action=" + action +
                             "&sb-hc-id=" + percent_encode(text(request.id));
  describe(text(request.entity.host), request.entity.port, target, arena, link);
  if (request.token.size > 0) {
    const culvert_field field = culvert_field_secret(CULVERT_LITERAL("ServiceBusAuthorization"),
                                                     arena.copy(text(request.token)));
    link.fields = arena.fields({&field, 1});
    link.field_count = 1;
  }
}

void add_app_address(const culvert_dial_request &request, culvert::sdk::Arena arena,
                     culvert_link_description &link) {
  if (!CULVERT_HAS(culvert_dial_request, &request, app_address) || request.app_address.size == 0) {
    return;
  }
  std::vector<culvert_field> fields(link.fields, link.fields + link.field_count);
  fields.push_back(culvert_field_of(culvert::sdk::view(kAppAddressHeader),
                                    arena.copy(text(request.app_address))));
  link.fields = arena.fields(fields);
  link.field_count = static_cast<std::uint32_t>(fields.size());
}

void describe_proof(const culvert_dial_request &request, culvert::sdk::Arena arena,
                    culvert_link_description &link) {
  describe_dial(request, "connect", arena, link);
  std::vector<culvert_field> fields(link.fields, link.fields + link.field_count);
  fields.push_back(culvert_field_of(CULVERT_LITERAL("Microsoft-Relay-AllowedListeners"),
                                    arena.copy(text(request.id))));
  link.fields = arena.fields(fields);
  link.field_count = static_cast<std::uint32_t>(fields.size());
}

void on_channel_message(const culvert::sdk::Host &host, const culvert_message &message,
                        culvert::sdk::Arena arena, culvert_channel_result &result) {
  result.action = CULVERT_CHANNEL_NOTHING;
  std::vector<JsonWanted> wanted{
      {"accept", "address"},
      {"accept", "id"},
      {.outer = "accept", .inner = "connectHeaders", .innermost = kAppAddressHeader}};
  const bool is_text = message.kind == CULVERT_TEXT;
  const JsonMessage json = is_text ? read_json(text(message.bytes), wanted) : JsonMessage{};
  if (is_text && !json.valid) {
    refuse_offer("the relay sent a control message that is not a JSON object");
  }
  if (!is_text || !json.has("accept")) {
    host.log(CULVERT_LOG_DEBUG, "ignored a control message that is no offer");
    return;
  }
  Address parts;
  if (wanted[0].value.size() > kLargestAddress) { // the sender's doing: the channel goes on
    host.log(CULVERT_LOG_WARN, "ignored an offer with an address of more than 16384 bytes");
    return;
  }
  if (!wanted[0].found || !read_address(wanted[0].value, parts)) {
    refuse_offer(kNoAddress);
  }
  result.action = CULVERT_CHANNEL_OFFER;
  result.message.bytes = arena.copy(wanted[0].value);
  result.message.kind = CULVERT_BINARY;
  result.loggable_id = arena.copy(clean(wanted[1].value, kLoggableBytes));
  if (CULVERT_HAS(culvert_channel_result, &result, app_address)) {
    result.app_address = arena.copy(clean(wanted[2].value, kLoggableBytes));
  }
}

void describe_accept(std::string_view offer, culvert::sdk::Arena arena,
                     culvert_link_description &link) {
  dial_address(offer, "", arena, link);
}

void describe_reject(std::string_view offer, const culvert_status &why, culvert::sdk::Arena arena,
                     culvert_link_description &link) {
  std::string reason = clean(why.message, kDescriptionBytes);
  if (reason.empty()) {
    reason = "The listener could not reach its target.";
  }
  const std::string joint = offer.find('?') == std::string_view::npos ? "?" : "&";
  const char *const code = why.code == CULVERT_OVERLOAD ? "503" : "502";
  dial_address(offer,
               joint + "sb-hc-statusCode=" + code +
                   "&sb-hc-statusDescription=" + percent_encode(reason),
               arena, link);
}

culvert_message write_renewal(std::string_view token, culvert::sdk::Arena arena) {
  return {arena.join({"{\"renewToken\":{\"token\":", json_string(token), "}}"}), CULVERT_TEXT, 0};
}

} // namespace azure
