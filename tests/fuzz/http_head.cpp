// An HTTP head: what the scanner takes, the parsers read, and a head that is written again reads
// the same.
#include "fuzz.hpp"

#include "link/http.hpp"
#include "link/http_date.hpp"

using namespace culvert;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  HeadScanner whole;
  const std::size_t taken = whole.feed(bytes);
  fuzz::must(taken <= size);
  HeadScanner pieces;
  std::size_t at = 0;
  while (at < size && !pieces.done() && pieces.fault() == HeadFault::kNone) {
    at += pieces.feed(bytes.substr(at, 1));
  }
  fuzz::must(pieces.done() == whole.done() && pieces.fault() == whole.fault());
  if (!whole.done()) {
    return 0;
  }
  RequestHead request;
  if (parse_request(bytes.substr(0, taken), request) == HeadFault::kNone) {
    for (const Field &field : request.fields) {
      fuzz::must(is_token(field.name));
    }
  }
  const Result<ResponseHead> response = parse_response(bytes.substr(0, taken));
  if (response.ok()) {
    fuzz::must(response.value().reason == clean_reason(response.value().reason));
    if (const Field *date = find_field(response.value().fields, "Date")) {
      static_cast<void>(read_http_date(date->value));
    }
  }
  return 0;
}
