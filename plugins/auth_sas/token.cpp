#include "token.hpp"

#include <limits>

namespace sas {
namespace {

constexpr std::string_view kScheme = "SharedAccessSignature";
constexpr std::size_t kSignatureCharacters = 44; // base64 of 32 bytes

/// Behind the scheme word and the white space after it; empty when they are not there.
std::string_view behind_scheme(std::string_view text) {
  if (text.size() <= kScheme.size() ||
      !equal_ignoring_case(text.substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  text.remove_prefix(kScheme.size());
  const std::size_t start = text.find_first_not_of(" \t");
  return start == 0 || start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

std::optional<std::int64_t> parse_seconds(std::string_view digits) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9' || value > (kMost - (c - '0')) / 10) {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return digits.empty() ? std::nullopt : std::optional(value);
}

struct Fields {
  std::optional<std::string_view> sr, sig, se, skn;

  std::optional<std::string_view> *named(std::string_view name) {
    return name == "sr"    ? &sr
           : name == "sig" ? &sig
           : name == "se"  ? &se
           : name == "skn" ? &skn
                           : nullptr;
  }
};

bool split(std::string_view text, Fields &fields, std::string_view &wrong) {
  while (true) {
    const std::size_t end = text.find('&');
    const std::string_view field = text.substr(0, end);
    const std::size_t equals = field.find('=');
    auto *slot = equals == std::string_view::npos ? nullptr : fields.named(field.substr(0, equals));
    if (slot == nullptr) {
      wrong = "it has a field other than sr, sig, se and skn";
      return false;
    }
    if (slot->has_value()) {
      wrong = "it has a field twice";
      return false;
    }
    *slot = field.substr(equals + 1);
    if (end == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(end + 1);
  }
}

bool is_base64_digest(std::string_view text) {
  return text.size() == kSignatureCharacters && text.back() == '=' &&
         text.substr(0, kSignatureCharacters - 1)
                 .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789+/") == std::string_view::npos;
}

bool decode(const Fields &fields, Token &token, std::string_view &wrong) {
  token.audience = *fields.sr;
  token.expiry = *fields.se;
  const auto expires = parse_seconds(token.expiry);
  const auto signature = percent_decode(*fields.sig);
  const auto key_name = percent_decode(*fields.skn);
  wrong = {};
  if (token.audience.empty() || token.audience.size() > kAudienceBytes) {
    wrong = "sr is empty or too long";
  } else if (!expires) {
    wrong = "se is not a number of seconds";
  } else if (!signature || !is_base64_digest(*signature)) {
    wrong = "sig is not the base64 text of an HMAC-SHA256";
  } else if (!key_name || key_name->empty() || key_name->size() > kKeyNameBytes) {
    wrong = "skn is empty, too long or badly encoded";
  } else {
    token.expires_s = *expires;
    token.signature = *signature;
    token.key_name = *key_name;
  }
  return wrong.empty();
}

} // namespace

std::optional<Token> parse(std::string_view text, std::string_view &wrong) {
  if (text.size() > kTokenBytes) {
    wrong = "it is too long";
    return std::nullopt;
  }
  text = text.substr(0, text.find_last_not_of(" \t") + 1);
  const std::string_view body = behind_scheme(text);
  if (body.empty()) {
    wrong = "it does not start with SharedAccessSignature and a space";
    return std::nullopt;
  }
  if (body.find_first_of(" \t\r\n") != std::string_view::npos) {
    wrong = "it has white space among its fields";
    return std::nullopt;
  }
  Fields fields;
  if (!split(body, fields, wrong)) {
    return std::nullopt;
  }
  if (!fields.sr || !fields.sig || !fields.se || !fields.skn) {
    wrong = "it lacks one of sr, sig, se and skn";
    return std::nullopt;
  }
  Token token;
  return decode(fields, token, wrong) ? std::optional(token) : std::nullopt;
}

std::string base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      result += i + k <= bytes.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return result;
}

} // namespace sas
