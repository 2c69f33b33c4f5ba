#include "link/http_upgrade.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>

namespace culvert {
namespace {

constexpr std::string_view kKeyField = "Sec-WebSocket-Key";
constexpr std::string_view kProtocolField = "Sec-WebSocket-Protocol";
constexpr std::string_view kOwnFields[] = {"Connection", "Upgrade", kKeyField,
                                           "Sec-WebSocket-Version", "Sec-WebSocket-Accept"};

std::string accept_value(std::string_view key, Digests &digests) {
  std::string text(key);
  text.append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); // RFC 6455, section 1.3
  return base64(digests.sha1(bytes_of(text)));
}

Status check_free(const std::vector<Field> &fields) {
  for (const Field &field : fields) {
    for (const std::string_view name : kOwnFields) {
      if (same_word(field.name, name)) {
        return Status::failure(Code::kProtocol, Source::kPlugin, Retry::kNever,
                               "the field " + field.name +
                                   " of a WebSocket handshake is written by the engine");
      }
    }
  }
  return {};
}

std::vector<Field> joined(std::vector<Field> own, const std::vector<Field> &fields) {
  own.insert(own.end(), fields.begin(), fields.end());
  return own;
}

/// Without a sub-protocol that the request does not offer: a client ends the connection over it
/// (RFC 6455, section 4.1).
std::vector<Field> without_unasked(std::vector<Field> fields, const RequestHead &request) {
  std::erase_if(fields, [&request](const Field &field) {
    return same_word(field.name, kProtocolField) &&
           !has_token(request.fields, kProtocolField, field.value);
  });
  return fields;
}

bool is_single(const std::vector<Field> &fields, std::string_view name, std::string_view value) {
  return count_fields(fields, name) == 1 && same_word(find_field(fields, name)->value, value);
}

} // namespace

std::string make_upgrade_key(Random &random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  return base64(bytes);
}

Result<std::string> build_upgrade_request(std::string_view target, std::string_view authority,
                                          std::string_view key, const std::vector<Field> &fields) {
  const Status free = check_free(fields);
  if (!free.ok()) {
    return free;
  }
  return build_request("GET", target, authority,
                       joined({{"Connection", "Upgrade"},
                               {"Upgrade", "websocket"},
                               {std::string(kKeyField), std::string(key)},
                               {"Sec-WebSocket-Version", "13"}},
                              fields));
}

Status check_upgrade_response(const ResponseHead &head, std::string_view key,
                              const std::vector<Field> &asked, Digests &digests) {
  if (head.status != 101) {
    Status refused = Status::failure(Code::kRejected, Source::kRelay, Retry::kBackoff, head.reason);
    refused.peer_status = head.status;
    return refused;
  }
  const auto broken = [](const char *message) {
    return Status::failure(Code::kProtocol, Source::kRelay, Retry::kBackoff, message);
  };
  if (!is_single(head.fields, "Upgrade", "websocket")) {
    return broken("the upgrade was answered without one Upgrade: websocket");
  }
  if (!has_token(head.fields, "Connection",
                 "upgrade")) { // it may be one of a list (RFC 9110, section 7.6.1)
    return broken("the upgrade was answered without Connection: Upgrade");
  }
  if (count_fields(head.fields, "Sec-WebSocket-Accept") != 1 ||
      find_field(head.fields, "Sec-WebSocket-Accept")->value != accept_value(key, digests)) {
    return broken("the upgrade was answered with a wrong Sec-WebSocket-Accept");
  }
  if (find_field(head.fields, "Sec-WebSocket-Extensions") != nullptr) {
    return broken("the upgrade was answered with an extension nobody asked for");
  }
  const Field *const protocol = find_field(head.fields, kProtocolField);
  if (protocol != nullptr && (count_fields(head.fields, kProtocolField) != 1 ||
                              !has_token(asked, kProtocolField, protocol->value))) {
    return broken("the upgrade was answered with a sub-protocol nobody asked for");
  }
  return {};
}

HeadFault check_upgrade_request(const RequestHead &head) {
  if (head.method != "GET" || head.minor_version != 1 || head.body != HttpBody::kNone) {
    return HeadFault::kNotGet;
  }
  if (!has_token(head.fields, "Upgrade", "websocket") ||
      !has_token(head.fields, "Connection", "upgrade")) {
    return HeadFault::kNoUpgrade;
  }
  if (!is_single(head.fields, "Sec-WebSocket-Version", "13")) {
    return HeadFault::kWebSocketVersion;
  }
  if (count_fields(head.fields, kKeyField) != 1) {
    return HeadFault::kWebSocketKey;
  }
  const auto key = from_base64(find_field(head.fields, kKeyField)->value);
  return key && key->size() == 16 ? HeadFault::kNone : HeadFault::kWebSocketKey;
}

Result<std::string> build_upgrade_response(const RequestHead &request, std::string_view reason,
                                           const std::vector<Field> &fields, Digests &digests) {
  CULVERT_ASSERT(check_upgrade_request(request) == HeadFault::kNone);
  const Status free = check_free(fields);
  if (!free.ok()) {
    return free;
  }
  const std::string &key = find_field(request.fields, kKeyField)->value;
  return build_response(101, reason,
                        joined({{"Connection", "Upgrade"},
                                {"Upgrade", "websocket"},
                                {"Sec-WebSocket-Accept", accept_value(key, digests)}},
                               without_unasked(fields, request)),
                        "");
}

} // namespace culvert
