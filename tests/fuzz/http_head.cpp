// An HTTP head: what the scanner takes, however it is cut, the parsers read; and a head that is
// written again reads the same.
#include "fuzz.hpp"

#include "link/http.hpp"
#include "link/http_date.hpp"

using namespace culvert;
using culvert::fuzz::must;

namespace {

void check_same(const std::vector<Field> &left, const std::vector<Field> &right) {
  must(left.size() <= right.size()); // the writer adds one at the end
  for (std::size_t i = 0; i < left.size(); ++i) {
    must(left[i].name == right[i].name && left[i].value == right[i].value);
  }
}

void check_fields(const std::vector<Field> &fields) {
  for (const Field &field : fields) {
    must(is_token(field.name) && is_field_value(field.value));
  }
}

void check_request(const RequestHead &head) {
  check_fields(head.fields);
  const Field *host = find_field(head.fields, "Host");
  if (head.minor_version != 1) { // it is written as HTTP/1.1
    return;
  }
  must(host != nullptr);
  std::vector<Field> others = head.fields;
  std::erase_if(others, [](const Field &field) { return same_word(field.name, "Host"); });
  const Result<std::string> written = build_request(head.method, head.target, host->value, others);
  if (!written.ok()) {
    must(host->value.empty() || host->value.find(' ') != std::string::npos ||
         host->value.find('\t') != std::string::npos || written.status().code == Code::kTooLarge);
    return;
  }
  RequestHead again;
  must(parse_request(written.value(), again) == HeadFault::kNone);
  must(again.method == head.method && again.target == head.target);
  must(again.body == head.body && again.body_length == head.body_length);
  must(again.expects_continue == head.expects_continue);
  must(again.fields.front().value == host->value);
  again.fields.erase(again.fields.begin());
  check_same(others, again.fields);
}

void check_response(const ResponseHead &head) {
  check_fields(head.fields);
  must(head.reason == clean_reason(head.reason));
  if (const Field *date = find_field(head.fields, "Date")) {
    const auto time = read_http_date(date->value);
    must(!time || read_http_date(http_date(*time)) == time);
  }
  std::vector<Field> others = head.fields;
  std::erase_if(others, [](const Field &field) {
    return same_word(field.name, "Content-Length") || same_word(field.name, "Transfer-Encoding");
  });
  const Result<std::string> written = build_response(head.status, head.reason, others, "");
  if (!written.ok()) {
    must(head.status < 100 || written.status().code == Code::kTooLarge);
    return;
  }
  const Result<ResponseHead> again = parse_response(written.value());
  must(again.ok() && again.value().status == head.status);
  must(again.value().reason == (head.reason.empty() ? standard_reason(head.status) : head.reason));
  check_same(others, again.value().fields);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  HeadScanner whole;
  const std::size_t taken = whole.feed(bytes);
  must(taken <= size);
  HeadScanner pieces;
  std::size_t at = 0;
  while (at < size && !pieces.done() && pieces.fault() == HeadFault::kNone) {
    at += pieces.feed(bytes.substr(at, 1));
  }
  must(pieces.done() == whole.done() && pieces.fault() == whole.fault());
  if (!whole.done()) {
    return 0;
  }
  must(at == taken);
  RequestHead request;
  if (parse_request(bytes.substr(0, taken), request) == HeadFault::kNone) {
    check_request(request);
  }
  const Result<ResponseHead> response = parse_response(bytes.substr(0, taken));
  if (response.ok()) {
    check_response(response.value());
  }
  return 0;
}
