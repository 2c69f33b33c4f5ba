#include "core/limits.hpp"
#include "link/http.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <exception>

namespace culvert {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using beast::http::error;

/// Beast's parser; its events fill our head.
template <bool kRequest> class Reader final : public beast::http::basic_parser<kRequest> {
public:
  explicit Reader(std::vector<Field> &fields) : fields_(fields) {
    this->header_limit(static_cast<std::uint32_t>(kHeadBytes));
    this->skip(true); // the body is not read here
  }

  std::string method;
  std::string target;
  std::string reason;
  int status = 0;
  int version = 11;

private:
  void on_request_impl(beast::http::verb, beast::string_view verb, beast::string_view of_target,
                       int of_version, error_code &) override {
    method.assign(verb.data(), verb.size());
    target.assign(of_target.data(), of_target.size());
    version = of_version;
  }
  void on_response_impl(int code, beast::string_view phrase, int of_version,
                        error_code &) override {
    status = code;
    reason.assign(phrase.data(), phrase.size());
    version = of_version;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code &) override {
    fields_.push_back(
        {std::string(name.data(), name.size()), std::string(value.data(), value.size()), false});
  }
  void on_header_impl(error_code &) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t> &, error_code &) override {}
  std::size_t on_body_impl(beast::string_view, error_code &) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code &) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code &) override {
    return 0;
  }
  void on_finish_impl(error_code &) override {}

  std::vector<Field> &fields_;
};

/// Calls a library that may throw, and turns exceptions into a result.
template <bool kRequest> error_code read_all(Reader<kRequest> &reader, std::string_view bytes) {
  error_code failure;
  try {
    const std::size_t used =
        reader.put(boost::asio::const_buffer(bytes.data(), bytes.size()), failure);
    if (!failure && (!reader.is_header_done() || used != bytes.size())) {
      failure = error::partial_message;
    }
  } catch (const std::exception &) {
    failure = error::bad_field;
  }
  return failure;
}

HeadFault scan_all(std::string_view bytes) {
  HeadScanner scanner;
  const std::size_t used = scanner.feed(bytes);
  if (scanner.fault() != HeadFault::kNone) {
    return scanner.fault();
  }
  return scanner.done() && used == bytes.size() ? HeadFault::kNone : HeadFault::kMalformed;
}

HeadFault fault_of(const error_code &failure) {
  if (failure == error::bad_version) {
    return HeadFault::kVersion;
  }
  if (failure == error::header_limit || failure == error::buffer_overflow) {
    return HeadFault::kTooLarge;
  }
  if (failure == error::bad_content_length || failure == error::multiple_content_length) {
    return HeadFault::kBodyLength;
  }
  if (failure == error::bad_transfer_encoding) {
    return HeadFault::kTransferEncoding;
  }
  return HeadFault::kMalformed;
}

/// Refuses heads that the grammar allows and only attackers send: with two possible ends of the
/// body.
HeadFault read_body_kind(RequestHead &head) {
  const std::size_t lengths = count_fields(head.fields, "Content-Length");
  const std::size_t codings = count_fields(head.fields, "Transfer-Encoding");
  if (lengths > 1 || (lengths == 1 && codings > 0)) {
    return HeadFault::kBodyLength;
  }
  if (codings > 0) {
    if (codings > 1 || !same_word(find_field(head.fields, "Transfer-Encoding")->value, "chunked")) {
      return HeadFault::kTransferEncoding;
    }
    if (head.minor_version == 0) {
      return HeadFault::kTransferEncoding;
    }
    head.body = HttpBody::kChunked;
  } else if (lengths == 1) {
    const std::string &text = find_field(head.fields, "Content-Length")->value;
    // 18 digits always fit 64 bits.
    if (text.empty() || text.size() > 18 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
      return HeadFault::kBodyLength;
    }
    head.body = HttpBody::kLength;
    head.body_length = std::stoull(text);
  }
  return HeadFault::kNone;
}

} // namespace

HeadFault parse_request(std::string_view bytes, RequestHead &head) {
  head = {};
  const HeadFault scanned = scan_all(bytes);
  if (scanned != HeadFault::kNone) {
    return scanned;
  }
  Reader<true> reader(head.fields);
  const error_code failure = read_all(reader, bytes);
  if (failure) {
    const bool mixed = failure == error::bad_transfer_encoding &&
                       find_field(head.fields, "Content-Length") != nullptr;
    return mixed ? HeadFault::kBodyLength : fault_of(failure);
  }
  head.method = std::move(reader.method);
  head.target = std::move(reader.target);
  head.minor_version = static_cast<unsigned>(reader.version % 10);
  const std::size_t hosts = count_fields(head.fields, "Host");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) {
    return HeadFault::kHost;
  }
  const HeadFault body = read_body_kind(head);
  if (body != HeadFault::kNone) {
    return body;
  }
  if (const Field *expect = find_field(head.fields, "Expect")) {
    if (count_fields(head.fields, "Expect") > 1 || !same_word(expect->value, "100-continue")) {
      return HeadFault::kExpectation;
    }
    head.expects_continue = head.minor_version == 1;
  }
  return HeadFault::kNone;
}

Result<ResponseHead> parse_response(std::string_view bytes) {
  const auto malformed = [](Code code, const char *message) {
    return Status::failure(code, Source::kRelay, Retry::kBackoff, message);
  };
  const HeadFault scanned = scan_all(bytes);
  if (scanned == HeadFault::kTooLarge) {
    return malformed(Code::kTooLarge, "the response head is longer than 40960 bytes");
  }
  ResponseHead head;
  Reader<false> reader(head.fields);
  if (scanned != HeadFault::kNone || read_all(reader, bytes)) {
    return malformed(Code::kProtocol, "the response head is malformed");
  }
  head.status = static_cast<std::uint16_t>(reader.status);
  head.reason = clean_reason(reader.reason);
  return head;
}

} // namespace culvert
