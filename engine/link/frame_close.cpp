#include "link/frame_close.hpp"

#include "core/text.hpp"
#include "core/utf8.hpp"

#include <algorithm>

namespace culvert {

bool is_close_code(std::uint16_t code) {
  // 1004 to 1006 and 1015 never appear on the wire; 1012 to 1014 are IANA's; 3000 on are free.
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

CloseFrame read_close(std::span<const std::byte> payload) {
  CloseFrame close;
  if (payload.empty()) {
    return close;
  }
  if (payload.size() == 1) {
    close.refusal = kCloseProtocolError;
    close.fault = "a Close of one byte";
    return close;
  }
  const auto code = static_cast<std::uint16_t>((static_cast<unsigned>(payload[0]) << 8U) |
                                               static_cast<unsigned>(payload[1]));
  const std::span<const std::byte> reason = payload.subspan(2);
  if (!is_close_code(code)) {
    close.refusal = kCloseProtocolError;
    close.fault = "a Close with an illegal code";
    return close;
  }
  if (!is_utf8(reason)) {
    close.refusal = kCloseBadText;
    close.fault = "a Close whose reason is no UTF-8";
    return close;
  }
  close.code = code;
  close.reason.assign(reinterpret_cast<const char *>(reason.data()), reason.size());
  return close;
}

std::size_t write_close(std::byte *at, std::uint16_t code, std::string_view reason) {
  if (code == 0) {
    return 0;
  }
  if (!is_close_code(code)) {
    code = kCloseInternalError;
  }
  if (!is_utf8(std::as_bytes(std::span(reason)))) {
    reason = {};
  }
  const std::size_t size = cut_utf8(reason, kCloseReasonBytes).size();
  at[0] = static_cast<std::byte>(code >> 8U);
  at[1] = static_cast<std::byte>(code);
  // Not memcpy: without a reason, at + 2 may be the end of the buffer and reason has no data.
  std::copy_n(std::as_bytes(std::span(reason)).begin(), size, at + 2);
  return size + 2;
}

} // namespace culvert
