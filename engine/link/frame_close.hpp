// The payload of a Close frame (RFC 6455, sections 5.5.1 and 7.4): code and reason.
//
// Pure functions; they own nothing.
#pragma once

#include "link/frame.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace culvert {

inline constexpr std::uint16_t kCloseNormal = 1000;
inline constexpr std::uint16_t kCloseProtocolError = 1002;
inline constexpr std::uint16_t kCloseBadText = 1007;
inline constexpr std::uint16_t kCloseInternalError = 1011;

struct CloseFrame {
  std::uint16_t code = 0; // 0: none was given
  std::string reason;
  std::uint16_t refusal = 0;   // what an illegal one is answered with, else 0
  const char *fault = nullptr; // and why
};

/// May a Close frame carry this code?
bool is_close_code(std::uint16_t code);

CloseFrame read_close(std::span<const std::byte> payload);

/// Writes at most kControlPayloadBytes and says how many. A code that no frame may carry becomes
/// 1011; a reason is cut between two characters, and dropped when it is no UTF-8.
std::size_t write_close(std::byte *at, std::uint16_t code, std::string_view reason);

} // namespace culvert
