#include "client.hpp"

#include "../glue.hpp"
#include "json.hpp"
#include "protocol.hpp"
#include "text.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <string>
#include <vector>

namespace azure {
namespace {

using culvert_glue::put;
using culvert_glue::text;

/// A reason that a sender's stack shows whole; encoding triples it at worst.
constexpr std::size_t kDescriptionBytes = 256;
constexpr std::size_t kLoggableBytes = 128;

struct Address {
  std::string host;
  std::uint16_t port = 443;
  std::string_view target;
};

uint32_t refuse_offer(culvert_status *error, std::string_view sentence) {
  return culvert_glue::fail(error, CULVERT_PROTOCOL, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEVER,
                            sentence);
}

/// Boost.URL reads scheme and authority. From the first '/' on the address is the relay's own
/// bytes: real ones hold "{}", "|" and raw UTF-8, which Boost.URL refuses.
bool read_address(std::string_view address, Address &result) {
  const std::size_t scheme_end = address.find("://");
  if (scheme_end == std::string_view::npos || !is_target_text(address)) {
    return false;
  }
  const std::size_t slash = address.find_first_of("/?#", scheme_end + 3);
  if (slash == std::string_view::npos || address[slash] != '/') {
    return false;
  }
  const auto url = boost::urls::parse_uri(std::string(address.substr(0, slash)));
  if (url.has_error() || url->scheme_id() != boost::urls::scheme::wss || url->has_userinfo() ||
      url->encoded_host().empty()) {
    return false;
  }
  result.host = url->host_address();
  if (url->has_port() && !url->port().empty()) {
    result.port = url->port_number();
  }
  result.target = address.substr(slash);
  return result.port != 0;
}

void describe(std::string_view host, std::uint32_t port, std::string_view target,
              culvert_arena *arena, culvert_link_description &link) {
  link.tls = 1;
  link.host = put(arena, host);
  link.port = port;
  link.server_name = link.host;
  link.alpn = culvert_glue::view("http/1.1");
  link.head_form = CULVERT_HEAD_HTTP;
  link.target = put(arena, target);
  link.authority = put(arena, authority(host, port));
  link.framing = CULVERT_FRAMING_WEBSOCKET;
  link.ping_interval_ms = kPingIntervalMs;
  link.largest_message = kLargestControlMessage;
}

uint32_t dial_address(std::string_view address, std::string_view more, culvert_arena *arena,
                      culvert_link_description &link, culvert_status *error) {
  Address parts;
  if (!read_address(address, parts)) {
    return refuse_offer(error, "the relay's offer has an address that is not wss://host/...");
  }
  describe(parts.host, parts.port, std::string(parts.target) + std::string(more), arena, link);
  return 1;
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

uint32_t audience(const culvert_entity_address &entity, culvert_arena *arena, culvert_view *result,
                  culvert_status *) {
  // As .NET writes it: http whatever is used, no port, a slash behind.
  const std::string host = lower(authority(text(entity.host), 443));
  const std::string_view path = bare_path(entity.path);
  *result = put(arena, "http://" + host + "/" + path_encode(path) + (path.empty() ? "" : "/"));
  return 1;
}

uint32_t describe_dial(const culvert_dial_request &request, const char *action,
                       culvert_arena *arena, culvert_link_description &link,
                       culvert_status *error) {
  const std::string_view path = bare_path(request.entity.path);
  if (path.empty()) {
    return culvert_glue::fail(error, CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                              "no entity is named: write EntityPath=NAME in the connection string");
  }
  const std::string target = "/$hc/" + path_encode(path) + "?sb-hc-action=" + action +
                             "&sb-hc-id=" + form_encode(text(request.id));
  describe(text(request.entity.host), request.entity.port, target, arena, link);
  if (request.token.size > 0) {
    auto *field = culvert_glue::put_array<culvert_field>(arena, 1);
    if (field != nullptr) {
      field->name = culvert_glue::view("ServiceBusAuthorization");
      field->value = put(arena, text(request.token));
      field->secret = 1;
      link.fields = field;
      link.field_count = 1;
    }
  }
  return 1;
}

uint32_t on_channel_message(const culvert_host *host, const culvert_message &message,
                            culvert_arena *arena, culvert_channel_result &result,
                            culvert_status *error) {
  result.action = CULVERT_CHANNEL_NOTHING;
  std::vector<JsonWanted> wanted{{"accept", "address"}, {"accept", "id"}};
  const bool is_text = message.kind == CULVERT_TEXT;
  const JsonMessage json = is_text ? read_json(text(message.bytes), wanted) : JsonMessage{};
  if (is_text && !json.valid) {
    return refuse_offer(error, "the relay sent a control message that is not a JSON object");
  }
  if (!is_text || !json.has("accept")) {
    const auto *log = culvert_glue::service<culvert_log>(host, CULVERT_SERVICE_LOG);
    if (log != nullptr && log->enabled(host, CULVERT_LOG_DEBUG) != 0) {
      log->write(host, CULVERT_LOG_DEBUG,
                 culvert_glue::view("ignored a control message that is no offer"));
    }
    return 1;
  }
  Address parts;
  if (!wanted[0].found || !read_address(wanted[0].value, parts)) {
    return refuse_offer(error, "the relay's offer has an address that is not wss://host/...");
  }
  result.action = CULVERT_CHANNEL_OFFER;
  result.message.bytes = put(arena, wanted[0].value);
  result.message.kind = CULVERT_BINARY;
  result.loggable_id = put(arena, clean(wanted[1].value, kLoggableBytes));
  return 1;
}

uint32_t describe_accept(culvert_view offer, culvert_arena *arena, culvert_link_description &link,
                         culvert_status *error) {
  return dial_address(text(offer), "", arena, link, error);
}

uint32_t describe_reject(culvert_view offer, const culvert_status &why, culvert_arena *arena,
                         culvert_link_description &link, culvert_status *error) {
  std::string reason = clean(why.message, kDescriptionBytes);
  if (reason.empty()) {
    reason = "The listener could not reach its target.";
  }
  const char *joint = text(offer).find('?') == std::string_view::npos ? "?" : "&";
  return dial_address(
      text(offer), joint + ("sb-hc-statusCode=502&sb-hc-statusDescription=" + form_encode(reason)),
      arena, link, error);
}

uint32_t write_renewal(culvert_view token, culvert_arena *arena, culvert_message &message) {
  message.bytes = put(arena, "{\"renewToken\":{\"token\":" + json_string(text(token)) + "}}");
  message.kind = CULVERT_TEXT;
  return 1;
}

} // namespace azure
