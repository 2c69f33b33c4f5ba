#include "link/frame.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <cstring>

namespace culvert {
namespace {

std::uint64_t read_big_endian(const std::byte *at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = (value << 8U) | static_cast<std::uint8_t>(at[i]);
  }
  return value;
}

void write_big_endian(std::byte *at, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) {
    at[i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
  }
}

bool known(Opcode opcode) {
  switch (opcode) {
  case Opcode::kContinuation:
  case Opcode::kText:
  case Opcode::kBinary:
  case Opcode::kClose:
  case Opcode::kPing:
  case Opcode::kPong:
    return true;
  }
  return false;
}

} // namespace

void write_frame_header(std::byte *at, const FrameHeader &header) {
  at[0] =
      static_cast<std::byte>((header.fin ? 0x80U : 0U) | static_cast<std::uint8_t>(header.opcode));
  const std::uint8_t mask_bit = header.masked ? 0x80 : 0;
  std::size_t size = 2;
  if (header.length < 126) {
    at[1] = static_cast<std::byte>(mask_bit | header.length);
  } else if (header.length <= 0xFFFF) {
    at[1] = static_cast<std::byte>(mask_bit | 126U);
    write_big_endian(at + 2, 2, header.length);
    size = 4;
  } else {
    at[1] = static_cast<std::byte>(mask_bit | 127U);
    write_big_endian(at + 2, 8, header.length);
    size = 10;
  }
  if (header.masked) {
    std::memcpy(at + size, &header.key, sizeof header.key);
  }
}

std::size_t FrameDecoder::feed(std::span<const std::byte> bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !ready_ && fault_ == nullptr) {
    const std::size_t count = std::min<std::size_t>(wanted_ - size_, bytes.size() - used);
    std::memcpy(partial_.data() + size_, bytes.data() + used, count);
    size_ = static_cast<std::uint8_t>(size_ + count);
    used += count;
    if (size_ < wanted_) {
      break;
    }
    if (size_ == 2) {
      read_start();
    }
    if (size_ == wanted_ && fault_ == nullptr) {
      read_rest();
    }
  }
  return used;
}

void FrameDecoder::next() {
  CULVERT_DEBUG_ASSERT(ready_);
  ready_ = false;
  size_ = 0;
  wanted_ = 2;
}

void FrameDecoder::tolerate() {
  // partial_ has the part of the faulty header that was read. Its frame is skipped by its length.
  tolerant_ = true;
  fault_ = nullptr;
  if (!ready_ && size_ == wanted_) {
    if (size_ == 2) {
      read_start();
    }
    if (size_ == wanted_) {
      read_rest();
    }
  }
}

void FrameDecoder::read_start() {
  const auto first = static_cast<std::uint8_t>(partial_[0]);
  const auto second = static_cast<std::uint8_t>(partial_[1]);
  const std::uint8_t length = second & 0x7FU;
  header_ = {};
  header_.opcode = static_cast<Opcode>(first & 0x0FU);
  header_.fin = (first & 0x80U) != 0;
  header_.masked = (second & 0x80U) != 0;
  if (!tolerant_) {
    fault_ = check_start(first & 0x70U, length);
    if (fault_ != nullptr) {
      return;
    }
  }
  const std::size_t largest = length == 126 ? 0xFFFF : (length == 127 ? UINT64_MAX : 0);
  wanted_ = static_cast<std::uint8_t>(frame_header_size(header_.masked, largest));
}

const char *FrameDecoder::check_start(std::uint8_t reserved, std::uint8_t length) const {
  if (reserved != 0) {
    return "a reserved bit is set";
  }
  if (!known(header_.opcode)) {
    return "unknown opcode";
  }
  if (header_.masked != expect_masked_) {
    return expect_masked_ ? "a client's frame is not masked" : "a server's frame is masked";
  }
  if (is_control(header_.opcode)) {
    if (!header_.fin) {
      return "a control frame is fragmented";
    }
    return length > kControlPayloadBytes ? "a control frame is longer than 125 bytes" : nullptr;
  }
  if (header_.opcode == Opcode::kContinuation) {
    return message_open_ ? nullptr : "a continuation without a message";
  }
  return message_open_ ? "a new message inside a message" : nullptr;
}

void FrameDecoder::read_rest() {
  const std::uint8_t length = static_cast<std::uint8_t>(partial_[1]) & 0x7FU;
  std::size_t at = 2;
  header_.length = length;
  if (length >= 126) {
    const std::size_t size = length == 126 ? 2 : 8;
    header_.length = read_big_endian(partial_.data() + at, size);
    at += size;
    const std::uint64_t least = length == 126 ? 126 : 0x10000;
    if (!tolerant_ && header_.length < least) {
      fault_ = "a length is not in its shortest form";
      return;
    }
    if (!tolerant_ && header_.length > INT64_MAX) {
      fault_ = "a length has its top bit set";
      return;
    }
  }
  if (header_.masked) {
    std::memcpy(&header_.key, partial_.data() + at, sizeof header_.key);
  }
  if (!is_control(header_.opcode)) {
    message_open_ = !header_.fin;
  }
  ready_ = true;
}

} // namespace culvert
