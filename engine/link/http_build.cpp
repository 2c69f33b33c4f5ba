#include "core/limits.hpp"
#include "core/text.hpp"
#include "link/http.hpp"

#include <algorithm>

namespace culvert {
namespace {

Status unfit(std::string message) {
  return Status::failure(Code::kProtocol, Source::kPlugin, Retry::kNever, std::move(message));
}

bool is_visible(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char letter) {
    return letter == ' ' || is_control(letter);
  });
}

Status append_fields(std::string &head, const std::vector<Field> &fields,
                     std::initializer_list<std::string_view> reserved) {
  for (const Field &field : fields) {
    if (!is_token(field.name)) {
      return unfit("a field to send has a name that is no HTTP token");
    }
    if (!is_field_value(field.value)) {
      return unfit("the value of the field " + field.name + " cannot be sent");
    }
    for (const std::string_view name : reserved) {
      if (same_word(field.name, name)) {
        return unfit("the field " + field.name + " is written by the engine");
      }
    }
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return {};
}

} // namespace

Result<std::string> build_request(std::string_view method, std::string_view target,
                                  std::string_view authority, const std::vector<Field> &fields) {
  if (!is_token(method)) {
    return unfit("the method of a request is no HTTP token");
  }
  if (!is_visible(target)) {
    return unfit("the target of a request is empty, or holds a space or a control byte");
  }
  if (!is_visible(authority)) {
    return unfit("the authority of a request is empty, or holds a space or a control byte");
  }
  std::string head;
  head.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  head.append(authority).append("\r\n");
  Status status = append_fields(head, fields, {"Host"});
  if (!status.ok()) {
    return status;
  }
  head.append("\r\n");
  if (head.size() > kHeadBytes) {
    return Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever,
                           "a request head is longer than 40960 bytes");
  }
  return head;
}

Result<std::string> build_response(std::uint16_t status, std::string_view reason,
                                   const std::vector<Field> &fields, std::string_view body) {
  if (status < 100 || status > 999) {
    return unfit("the status of a response has not three digits");
  }
  const bool bodiless = status < 200 || status == 204 || status == 304;
  if (bodiless && !body.empty()) {
    return unfit("a response with this status has no body");
  }
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head.append(reason.empty() ? std::string(standard_reason(status)) : clean_reason(reason));
  head.append("\r\n");
  Status fit = append_fields(head, fields, {"Content-Length", "Transfer-Encoding"});
  if (!fit.ok()) {
    return fit;
  }
  if (!bodiless) {
    head.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  head.append("\r\n");
  if (head.size() > kHeadBytes) {
    return Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever,
                           "a response head is longer than 40960 bytes");
  }
  head.append(body);
  return head;
}

} // namespace culvert
