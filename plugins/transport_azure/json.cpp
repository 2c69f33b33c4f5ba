#include "json.hpp"

#include "text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>

namespace azure {
namespace {

namespace json = boost::json;

constexpr std::size_t kMessageBytes = 64U * 1024;
constexpr std::size_t kDepth = 16;
constexpr std::size_t kOuterKeys = 8;

class Handler {
public:
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for these names
  static constexpr std::size_t max_object_size = kMessageBytes;
  static constexpr std::size_t max_array_size = kMessageBytes;
  static constexpr std::size_t max_key_size = kMessageBytes;
  static constexpr std::size_t max_string_size = kMessageBytes;
  // NOLINTEND(readability-identifier-naming)

  Handler(JsonMessage &message, std::vector<JsonWanted> &wanted)
      : message_(message), wanted_(wanted) {}

  bool on_document_begin(json::error_code &) { return true; }
  bool on_document_end(json::error_code &) { return true; }
  bool on_object_begin(json::error_code &) {
    object_ = object_ || depth_ == 0;
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t, json::error_code &) {
    --depth_;
    return true;
  }
  bool on_array_begin(json::error_code &) {
    depth_ += kInArray;
    return true;
  }
  bool on_array_end(std::size_t, json::error_code &) {
    depth_ -= kInArray;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code &) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code &) {
    key_.append(part.data(), part.size());
    if (depth_ == 1) {
      outer_ = key_;
      if (message_.outer.size() < kOuterKeys) {
        message_.outer.push_back(key_);
      }
    } else if (depth_ == 2) {
      inner_ = key_;
    } else if (depth_ == 3) {
      innermost_ = key_;
    }
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code &) {
    string_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code &) {
    string_.append(part.data(), part.size());
    for (JsonWanted &wanted : wanted_) {
      const bool here =
          wanted.innermost.empty() ? depth_ == 2 : depth_ == 3 && wanted.innermost == innermost_;
      if (here && wanted.outer == outer_ && wanted.inner == inner_) {
        wanted.found = true;
        wanted.value = string_;
      }
    }
    string_.clear();
    return true;
  }
  bool on_number_part(json::string_view, json::error_code &) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code &) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code &) { return true; }
  bool on_double(double, json::string_view, json::error_code &) { return true; }
  bool on_bool(bool, json::error_code &) { return true; }
  bool on_null(json::error_code &) { return true; }
  bool on_comment_part(json::string_view, json::error_code &) { return true; }
  bool on_comment(json::string_view, json::error_code &) { return true; }

  [[nodiscard]] bool object() const { return object_; }

private:
  // An array adds more to the depth than is ever asked for, so that nothing inside it is found.
  static constexpr std::size_t kInArray = kDepth + 1;

  JsonMessage &message_;
  std::vector<JsonWanted> &wanted_;
  std::size_t depth_ = 0;
  bool object_ = false; // the document is an object
  std::string key_;
  std::string string_;
  std::string outer_;
  std::string inner_;
  std::string innermost_;
};

/// Bytes as ISO 8859-1 in UTF-8.
std::string from_latin1(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xC0 | (byte >> 6));
      result += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return result;
}

} // namespace

bool JsonMessage::has(std::string_view key) const {
  return std::find(outer.begin(), outer.end(), key) != outer.end();
}

JsonMessage read_json(std::string_view text, std::vector<JsonWanted> &wanted) {
  JsonMessage message;
  if (text.size() > kMessageBytes) {
    return message;
  }
  json::parse_options options;
  options.max_depth = kDepth;
  json::basic_parser<Handler> parser(options, message, wanted);
  json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  message.valid = !error && read == text.size() && parser.handler().object();
  return message;
}

std::string json_string(std::string_view text) {
  return json::serialize(json::string(is_utf8(text) ? std::string(text) : from_latin1(text)));
}

} // namespace azure
