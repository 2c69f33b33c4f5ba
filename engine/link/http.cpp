#include "link/http.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace culvert {
namespace {

constexpr std::array<HeadRefusal, 12> kRefusals{{
    {0, "", "", nullptr, nullptr},
    {400, "Bad Request", "The request head is malformed.", nullptr, nullptr},
    {431, "Request Header Fields Too Large", "The request head is longer than 40960 bytes.",
     nullptr, nullptr},
    {505, "HTTP Version Not Supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.", nullptr,
     nullptr},
    {400, "Bad Request", "The request needs exactly one Host field.", nullptr, nullptr},
    {400, "Bad Request", "The length of the body is malformed or ambiguous.", nullptr, nullptr},
    {501, "Not Implemented", "The only transfer coding known here is chunked.", nullptr, nullptr},
    {417, "Expectation Failed", "The only expectation known here is 100-continue.", nullptr,
     nullptr},
    {400, "Bad Request", "A WebSocket handshake is a GET of HTTP/1.1 without a body.", nullptr,
     nullptr},
    {426, "Upgrade Required", "This address speaks WebSocket: upgrade to it.", "Upgrade",
     "websocket"},
    {426, "Upgrade Required", "Only version 13 of WebSocket is spoken here.",
     "Sec-WebSocket-Version", "13"},
    {400, "Bad Request", "Sec-WebSocket-Key must be 16 bytes in base64.", nullptr, nullptr},
}};
static_assert(kRefusals.size() == static_cast<std::size_t>(HeadFault::kWebSocketKey) + 1);

struct Phrase {
  std::uint16_t status;
  std::string_view reason;
};
constexpr Phrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {417, "Expectation Failed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

} // namespace

const HeadRefusal &refusal(HeadFault fault) {
  return kRefusals[static_cast<std::size_t>(fault)];
}

std::size_t HeadScanner::feed(std::string_view piece) {
  std::size_t used = 0;
  while (used < piece.size() && !done_ && fault_ == HeadFault::kNone) {
    step(piece[used++]);
  }
  return used;
}

void HeadScanner::step(char byte) {
  if (++size_ > kHeadBytes) {
    fault_ = HeadFault::kTooLarge;
    return;
  }
  const bool after_return = last_ == '\r';
  const bool first_of_line = last_ == '\n';
  last_ = byte;
  if (after_return != (byte == '\n')) { // a CR or an LF alone
    fault_ = HeadFault::kMalformed;
  } else if (byte == '\n') {
    done_ = line_empty_;
    line_empty_ = true;
  } else if (byte == '\r') {
    // An empty first line is an error; any other empty line is the end of the head.
    fault_ = size_ == 1 ? HeadFault::kMalformed : HeadFault::kNone;
  } else if ((is_control(byte) && byte != '\t') ||
             (first_of_line && (byte == ' ' || byte == '\t'))) {
    fault_ = HeadFault::kMalformed;
  } else {
    line_empty_ = false;
  }
}

bool same_word(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return lower_case(one) == lower_case(other); });
}

const Field *find_field(const std::vector<Field> &fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [name](const Field &field) {
    return same_word(field.name, name);
  });
  return found == fields.end() ? nullptr : &*found;
}

std::size_t count_fields(const std::vector<Field> &fields, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [name](const Field &field) { return same_word(field.name, name); }));
}

bool has_token(const std::vector<Field> &fields, std::string_view name, std::string_view token) {
  for (const Field &field : fields) {
    if (!same_word(field.name, name)) {
      continue;
    }
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view word = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      word.remove_prefix(std::min(word.find_first_not_of(" \t"), word.size()));
      word = word.substr(0, word.find_last_not_of(" \t") + 1);
      if (same_word(word, token)) {
        return true;
      }
    }
  }
  return false;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    return (letter >= '0' && letter <= '9') ||
           (lower_case(letter) >= 'a' && lower_case(letter) <= 'z') ||
           kMarks.find(letter) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  const auto blank = [](char letter) { return letter == ' ' || letter == '\t'; };
  if (!text.empty() && (blank(text.front()) || blank(text.back()))) {
    return false;
  }
  return std::none_of(text.begin(), text.end(),
                      [](char letter) { return is_control(letter) && letter != '\t'; });
}

std::string clean_reason(std::string_view reason) {
  std::string clean;
  for (const char letter : reason) {
    if (clean.size() == kReasonPhraseBytes) {
      break;
    }
    if (!is_control(letter) && static_cast<unsigned char>(letter) < 0x80) {
      clean.push_back(letter);
    }
  }
  return clean;
}

std::string_view standard_reason(std::uint16_t status) {
  for (const Phrase &phrase : kPhrases) {
    if (phrase.status == status) {
      return phrase.reason;
    }
  }
  return "";
}

} // namespace culvert
