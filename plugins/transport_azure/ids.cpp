#include "ids.hpp"

#include "text.hpp"

#include <array>
#include <cstdint>

namespace azure {
namespace {

constexpr std::size_t kGuidLength = 36;
/// A GUID and room for a dozen gateways; Java reads the first 36 characters only.
constexpr std::size_t kIdLength = 100;

bool is_id_text(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "-_.") == std::string_view::npos;
}

} // namespace

bool starts_with_guid(std::string_view text) {
  if (text.size() < kGuidLength) {
    return false;
  }
  for (std::size_t i = 0; i < kGuidLength; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex =
        std::string_view("0123456789abcdefABCDEF").find(text[i]) != std::string_view::npos;
    if (dash ? text[i] != '-' : !hex) {
      return false;
    }
  }
  return true;
}

std::string fresh_guid(const culvert::sdk::Host &host) {
  std::array<std::uint8_t, 16> bytes{};
  host.random(bytes.data(), bytes.size());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40); // version 4, RFC 9562
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      result += '-';
    }
    result += "0123456789abcdef"[bytes[i] >> 4];
    result += "0123456789abcdef"[bytes[i] & 15];
  }
  return result;
}

std::string tracking_id(const culvert::sdk::Host &host, std::string_view sent) {
  if (!starts_with_guid(sent)) {
    return fresh_guid(host) + "_G0";
  }
  const bool whole = sent.size() <= kIdLength && is_id_text(sent);
  return std::string(whole ? sent : sent.substr(0, kGuidLength)) + "_G0";
}

std::string listener_id(std::string_view sent) {
  const std::size_t gateways = sent.find("_G");
  if (gateways != std::string_view::npos && gateways > 0) {
    sent = sent.substr(0, gateways);
  }
  return sent.size() <= kIdLength && is_id_text(sent) ? lower(sent) : std::string{};
}

} // namespace azure
