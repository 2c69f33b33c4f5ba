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
  std::uint16_t refusal = 0;   // the code that answers an illegal Close, else 0
  const char *fault = nullptr; // the reason for it
};

/// True if a Close frame may carry this code.
bool is_close_code(std::uint16_t code);

CloseFrame read_close(std::span<const std::byte> payload);

/// Writes at most kControlPayloadBytes and returns how many. A code that no frame may carry becomes
/// 1011. A long reason is cut between two characters; one that is not UTF-8 is left out.
std::size_t write_close(std::byte *at, std::uint16_t code, std::string_view reason);

} // namespace culvert
