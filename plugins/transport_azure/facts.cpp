#include "facts.hpp"

namespace azure {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kFixed = 4; // version, role, port

template <typename F> auto texts(F &facts) {
  using Text = decltype(&facts.tracking);
  struct {
    Text all[7];
  } result{{&facts.tracking, &facts.authority, &facts.path, &facts.raw_path, &facts.query,
            &facts.headers, &facts.remote_host}};
  return result;
}

} // namespace

std::string write_facts(const Facts &facts) {
  std::string bytes{kVersion, static_cast<char>(facts.role),
                    static_cast<char>(facts.remote_port >> 8),
                    static_cast<char>(facts.remote_port & 0xFF)};
  for (const std::string *text : texts(facts).all) {
    const std::size_t size = text->size();
    bytes += {static_cast<char>(size >> 16), static_cast<char>(size >> 8), static_cast<char>(size)};
    bytes += *text;
  }
  return bytes;
}

std::optional<Facts> read_facts(std::string_view bytes) {
  const auto at = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  if (bytes.size() < kFixed || bytes[0] != kVersion || at(1) > 3) {
    return std::nullopt;
  }
  Facts facts;
  facts.role = static_cast<Role>(at(1));
  facts.remote_port = static_cast<std::uint16_t>(at(2) << 8 | at(3));
  bytes.remove_prefix(kFixed);
  for (std::string *text : texts(facts).all) {
    if (bytes.size() < 3) {
      return std::nullopt;
    }
    const std::size_t size = at(0) << 16 | at(1) << 8 | at(2);
    bytes.remove_prefix(3);
    if (bytes.size() < size) {
      return std::nullopt;
    }
    *text = bytes.substr(0, size);
    bytes.remove_prefix(size);
  }
  return bytes.empty() ? std::optional<Facts>(facts) : std::nullopt;
}

} // namespace azure
