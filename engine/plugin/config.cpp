#include "plugin/config.hpp"

#include "core/limits.hpp"
#include "plugin/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace culvert {

namespace {

struct TypeWords {
  const char *found; // "is ..."
  const char *wanted;
};

constexpr std::array<TypeWords, 5> kTypes{{{"a text", "a text"},
                                           {"an integer", "an integer"},
                                           {"a boolean", "true or false"},
                                           {"a secret", "a secret as env:NAME or file:PATH"},
                                           {"a list", "a list of texts"}}};

std::string quoted(std::string_view word) {
  return "'" + one_line(word, kLogLineBytes) + "'";
}

std::string known_keys(std::span<const culvert_config_key> keys) {
  if (keys.empty()) {
    return "it has none";
  }
  std::string text = "it has ";
  for (std::size_t index = 0; index < keys.size(); ++index) {
    text += (index == 0 ? "" : ", ");
    text += one_line(keys[index].name, kLogLineBytes);
  }
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

/// nullptr if it is not declared.
const culvert_config_key *find_key(std::span<const culvert_config_key> keys,
                                   std::string_view name) {
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const culvert_config_key &one) { return name == one.name; });
  return key == keys.end() ? nullptr : &*key;
}

/// Only digits, and still no integer: read_texts() could not read it.
bool is_too_large(const ConfigValue &value) {
  const auto *text = std::get_if<std::string>(&value);
  const std::size_t sign = text != nullptr && text->starts_with('-') ? 1 : 0;
  return text != nullptr && text->size() > sign &&
         text->find_first_not_of("0123456789", sign) == std::string::npos;
}

Status check_value(std::string_view id, std::span<const culvert_config_key> keys,
                   std::string_view name, const ConfigValue &value) {
  const culvert_config_key *key = find_key(keys, name);
  if (key == nullptr) {
    return Status::config("plugin " + std::string(id) + " has no setting " + quoted(name) + "; " +
                          known_keys(keys));
  }
  if (key->type == CULVERT_CONFIG_INTEGER && is_too_large(value)) {
    return Status::config("plugin " + std::string(id) + ": setting " + quoted(name) +
                          " has more than 64 bits; write a smaller integer");
  }
  if (value.index() != key->type) {
    return Status::config("plugin " + std::string(id) + ": setting " + quoted(name) + " is " +
                          kTypes[value.index()].found + "; write " + kTypes[key->type].wanted);
  }
  return {};
}

} // namespace

Result<ConfigValue> parse_config_text(std::uint32_t type, std::string_view text) {
  switch (type) {
  case CULVERT_CONFIG_TEXT:
    return ConfigValue(std::string(text));
  case CULVERT_CONFIG_INTEGER: {
    std::int64_t number = 0;
    const char *end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return Status::config(quoted(text) + " is no integer");
    }
    return ConfigValue(number);
  }
  case CULVERT_CONFIG_BOOLEAN:
    if (text != "true" && text != "false") {
      return Status::config(quoted(text) + " is neither true nor false");
    }
    return ConfigValue(text == "true");
  case CULVERT_CONFIG_LIST:
    return ConfigValue(split_list(text));
  default:
    return Status::config("a secret cannot have a default");
  }
}

void read_texts(std::span<const culvert_config_key> keys, ConfigValues &values) {
  for (auto &[name, value] : values) {
    const auto *text = std::get_if<std::string>(&value);
    const culvert_config_key *key = find_key(keys, name);
    if (text == nullptr || key == nullptr) {
      continue;
    }
    if (Result<ConfigValue> read = parse_config_text(key->type, *text); read.ok()) {
      value = std::move(read.value());
    }
  }
}

Status check_values(std::string_view id, std::span<const culvert_config_key> keys,
                    const ConfigValues &values) {
  for (const auto &[name, value] : values) {
    if (Status status = check_value(id, keys, name, value); !status.ok()) {
      return status;
    }
  }
  return {};
}

Result<ConfigValues> check_config(std::string_view id, std::span<const culvert_config_key> keys,
                                  ConfigValues values) {
  if (Status status = check_values(id, keys, values); !status.ok()) {
    return status;
  }
  for (const culvert_config_key &key : keys) {
    if (values.contains(std::string_view(key.name))) {
      continue;
    }
    if (key.required != 0) {
      return Status::config("plugin " + std::string(id) + ": setting " + quoted(key.name) +
                            " is missing (" + one_line(key.summary, kLogLineBytes) + "); write " +
                            kTypes[key.type].wanted);
    }
    if (key.default_value != nullptr) {
      Result<ConfigValue> value = parse_config_text(key.type, key.default_value);
      if (!value.ok()) {
        return Status::config("plugin " + std::string(id) + ": setting " + quoted(key.name) +
                              " has a broken default: " + value.status().message);
      }
      values.emplace(key.name, std::move(value.value()));
    }
  }
  return values;
}

} // namespace culvert
