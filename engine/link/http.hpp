// HTTP/1.1 heads: found in a stream of bytes, read strictly, and written.
//
// Plain values and pure functions, callable from any thread; a head owns its strings. A request's
// target and all fields are kept exactly as they were sent. Nothing here may be logged: targets and
// values can hold tokens.
#pragma once

#include "culvert/status.hpp"
#include "link/description.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

enum class HttpBody : std::uint8_t { kNone, kLength, kChunked };

struct RequestHead {
  std::string method;
  std::string target;
  unsigned minor_version = 1; // of HTTP/1
  std::vector<Field> fields;
  HttpBody body = HttpBody::kNone;
  std::uint64_t body_length = 0;
  bool expects_continue = false; // the client waits for a 100 before it sends its body
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string reason; // cleaned by clean_reason()
  std::vector<Field> fields;
};

/// What is wrong with a request head.
enum class HeadFault : std::uint8_t {
  kNone,
  kMalformed,
  kTooLarge,
  kVersion,
  kHost,
  kBodyLength,       // Content-Length: malformed, repeated, or beside Transfer-Encoding
  kTransferEncoding, // anything but "chunked"
  kExpectation,
  kNotGet, // from here on: of a request to upgrade
  kNoUpgrade,
  kWebSocketVersion,
  kWebSocketKey,
};

/// The answer to a faulty request.
struct HeadRefusal {
  std::uint16_t status = 0;
  const char *reason = nullptr;
  const char *sentence = nullptr;   // for a body and a log line
  const char *extra_name = nullptr; // a field the answer must carry, or nullptr
  const char *extra_value = nullptr;
};
const HeadRefusal &refusal(HeadFault fault);

/// Finds the end of a head in pieces of input. It refuses at once what no head may contain: NUL and
/// other control bytes, a CR or LF alone, folded fields, more than kHeadBytes.
class HeadScanner {
public:
  /// Returns how many bytes of the piece belong to the head.
  std::size_t feed(std::string_view piece);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] HeadFault fault() const { return fault_; }

private:
  void step(char byte);

  std::size_t size_ = 0;
  char last_ = '\n';
  bool line_empty_ = true;
  bool done_ = false;
  HeadFault fault_ = HeadFault::kNone;
};

/// Reads a whole head, its empty line included.
HeadFault parse_request(std::string_view bytes, RequestHead &head);
/// A failure has Source::kRelay.
Result<ResponseHead> parse_response(std::string_view bytes);

/// The first field of that name, ignoring case, or nullptr.
const Field *find_field(const std::vector<Field> &fields, std::string_view name);
std::size_t count_fields(const std::vector<Field> &fields, std::string_view name);
/// True if one of these fields has the token in its comma-separated list, ignoring case.
bool has_token(const std::vector<Field> &fields, std::string_view name, std::string_view token);
bool same_word(std::string_view left, std::string_view right);

bool is_token(std::string_view text);
/// True if the text is a legal field value: no control bytes except tab, no space at its ends.
bool is_field_value(std::string_view text);
/// Without CR, LF, other control bytes and non-ASCII, cut at kReasonPhraseBytes.
std::string clean_reason(std::string_view reason);
/// The phrase of RFC 9110 for a status, or "".
std::string_view standard_reason(std::uint16_t status);

/// If a part cannot be written as a legal head, the Status names the part and never its value. Host
/// is written first, from `authority`; fields may not repeat it.
Result<std::string> build_request(std::string_view method, std::string_view target,
                                  std::string_view authority, const std::vector<Field> &fields);
/// Adds Content-Length unless the status forbids it, and the body after the head. An empty reason
/// becomes the standard one.
Result<std::string> build_response(std::uint16_t status, std::string_view reason,
                                   const std::vector<Field> &fields, std::string_view body);

} // namespace culvert
