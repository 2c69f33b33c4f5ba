#include "table.hpp"

#include "culvert/plugin.hpp"
#include "culvert/text.hpp"

#include <arpa/inet.h>

namespace names {
namespace {

/// A name as it is looked up: without the root's dot, in lower case.
std::string canonical(std::string_view name) {
  if (name.size() > 1 && name.back() == '.') {
    name.remove_suffix(1);
  }
  return culvert::sdk::lower(name);
}

void append(Table::Addresses &addresses, const culvert_address &address) {
  if (addresses.size() < CULVERT_MOST_ADDRESSES) {
    addresses.push_back(address);
  }
}

/// The next word of a line; empty at its end.
std::string_view next_word(std::string_view &line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) {
    return {};
  }
  line.remove_prefix(start);
  const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

} // namespace

std::optional<culvert_address> parse_literal(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) {
      return std::nullopt;
    }
  }
  if (text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string terminated(text);
  culvert_address address{};
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes) == 1) {
    address.family = CULVERT_IPV4;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes) == 1) {
    address.family = CULVERT_IPV6;
    return address;
  }
  return std::nullopt;
}

void Table::add_entries(const std::vector<std::string> &entries) {
  for (const std::string &entry : entries) {
    const std::string wrong = add_entry(entry);
    if (!wrong.empty()) {
      throw culvert::sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                                "the resolve entry " + entry.substr(0, 300) + ": " + wrong +
                                    "; write NAME=ADDR[,ADDR]");
    }
  }
}

/// Returns what is wrong with the text, or nothing.
std::string Table::add_entry(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == entry.size()) {
    return "it is not NAME=ADDR[,ADDR]";
  }
  const std::string_view name = entry.substr(0, equals);
  if (name.find_first_of(" \t,/:[]") != std::string_view::npos) {
    return "\"" + std::string(name) + "\" is not a name";
  }
  if (name.find('*') != std::string_view::npos) {
    return "\"" + std::string(name) + "\" has a '*', and each name is written in full";
  }
  Addresses addresses;
  std::string_view rest = entry.substr(equals + 1);
  while (true) {
    const std::string_view one = rest.substr(0, rest.find(','));
    const auto address = parse_literal(one);
    if (!address) {
      return "\"" + std::string(one) + "\" is not an IP address";
    }
    if (addresses.size() == CULVERT_MOST_ADDRESSES) {
      return "it has more than " + std::to_string(CULVERT_MOST_ADDRESSES) + " addresses";
    }
    addresses.push_back(*address);
    if (one.size() == rest.size()) {
      break;
    }
    rest.remove_prefix(one.size() + 1);
  }
  for (const culvert_address &address : addresses) {
    append(entries_[canonical(name)], address);
  }
  return {};
}

void Table::use_hosts(std::string_view content) {
  hosts_.clear();
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content = end == std::string_view::npos ? std::string_view{} : content.substr(end + 1);
    line = line.substr(0, line.find('#'));
    const auto address = parse_literal(next_word(line));
    for (auto name = next_word(line); address && !name.empty(); name = next_word(line)) {
      append(hosts_[canonical(name)], *address);
    }
  }
}

const Table::Addresses *Table::find(std::string_view name) const {
  const std::string key = canonical(name);
  for (const auto *table : {&entries_, &hosts_}) {
    const auto at = table->find(key);
    if (at != table->end()) {
      return &at->second;
    }
  }
  return nullptr;
}

} // namespace names
