// The frame codec: headers under every split, the rules of RFC 6455, masks, UTF-8, Close payloads.
#include "core/random.hpp"
#include "core/utf8.hpp"
#include "link/frame.hpp"
#include "link/frame_close.hpp"
#include "link/mask.hpp"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace culvert {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) {
    out.push_back(static_cast<std::byte>(value));
  }
  return out;
}

TEST(FrameHeader, SurvivesEncodingAndDecodingByteByByte) {
  for (const std::uint64_t length : {0ULL, 1ULL, 125ULL, 126ULL, 127ULL, 128ULL, 65535ULL, 65536ULL,
                                     1ULL << 40U, (1ULL << 63U) - 1}) {
    for (const bool masked : {false, true}) {
      FrameHeader header{Opcode::kBinary, false, masked, masked ? 0x04030201U : 0U, length};
      std::array<std::byte, kFrameHeaderBytes + 1> wire{};
      write_frame_header(wire.data(), header);
      const std::size_t size = frame_header_size(masked, length);
      FrameDecoder decoder(masked);
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_FALSE(decoder.ready());
        ASSERT_EQ(decoder.feed(std::span(wire).subspan(i, 1)), 1U);
        ASSERT_EQ(decoder.fault(), nullptr);
      }
      ASSERT_TRUE(decoder.ready()) << length;
      EXPECT_EQ(decoder.header().length, length);
      EXPECT_EQ(decoder.header().key, header.key);
      EXPECT_FALSE(decoder.header().fin);
      EXPECT_EQ(decoder.feed(std::span(wire).subspan(size, 1)), 0U);
    }
  }
}

struct FaultRow {
  const char *what;
  std::vector<std::vector<std::byte>> headers; // all but the last are fine and without payload
  bool server;
};

TEST(FrameDecoder, RefusesWhatTheRfcForbids) {
  std::vector<FaultRow> rows = {
      {"unmasked towards a server", {bytes({0x82, 0x00})}, true},
      {"masked towards a client", {bytes({0x82, 0x80})}, false},
      {"fragmented ping", {bytes({0x09, 0x00})}, false},
      {"fragmented pong", {bytes({0x0A, 0x00})}, false},
      {"fragmented close", {bytes({0x08, 0x00})}, false},
      {"ping of 126", {bytes({0x89, 0x7E})}, false},
      {"close of 126", {bytes({0x88, 0x7E})}, false},
      {"pong of 127", {bytes({0x8A, 0x7F})}, false},
      {"continuation without start, final", {bytes({0x80, 0x00})}, false},
      {"continuation without start", {bytes({0x00, 0x00})}, false},
      {"continuation after the end", {bytes({0x82, 0x00}), bytes({0x80, 0x00})}, false},
      {"text inside a message", {bytes({0x02, 0x00}), bytes({0x81, 0x00})}, false},
      {"binary inside a message", {bytes({0x01, 0x00}), bytes({0x02, 0x00})}, false},
      {"125 in 16 bits", {bytes({0x82, 0x7E, 0, 125})}, false},
      {"65535 in 64 bits", {bytes({0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})}, false},
      {"2^63", {bytes({0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0})}, false},
      {"2^64-1", {bytes({0x82, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})}, false},
  };
  for (const int reserved : {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70}) {
    for (const int opcode : {0x81, 0x82, 0x88, 0x89, 0x8A}) {
      rows.push_back({"reserved bits", {bytes({opcode | reserved, 0x00})}, false});
    }
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    rows.push_back({"reserved opcode", {bytes({0x80 | opcode, 0x00})}, false});
  }
  for (const FaultRow &row : rows) {
    SCOPED_TRACE(row.what);
    FrameDecoder decoder(row.server);
    for (std::size_t i = 0; i + 1 < row.headers.size(); ++i) {
      decoder.feed(row.headers[i]);
      ASSERT_TRUE(decoder.ready());
      decoder.next();
    }
    const std::vector<std::byte> &last = row.headers.back();
    for (const std::byte &byte : last) {
      EXPECT_EQ(decoder.fault(), nullptr) << "no earlier than its last byte";
      decoder.feed({&byte, 1});
    }
    EXPECT_NE(decoder.fault(), nullptr);
    EXPECT_FALSE(decoder.ready());
  }
}

TEST(FrameDecoder, TakesControlFramesInsideAMessage) {
  FrameDecoder decoder(false);
  for (const auto &header : {bytes({0x01, 0x00}), bytes({0x89, 0x00}), bytes({0x00, 0x00}),
                             bytes({0x8A, 0x00}), bytes({0x80, 0x00}), bytes({0x82, 0x00})}) {
    decoder.feed(header);
    ASSERT_TRUE(decoder.ready());
    decoder.next();
  }
}

TEST(FrameDecoder, GoesOnByLengthsAloneOnceTold) {
  FrameDecoder decoder(false);
  decoder.feed(bytes({0xF3, 0xFE, 0x00, 0x05, 1, 2, 3, 4}));
  ASSERT_NE(decoder.fault(), nullptr);
  decoder.tolerate();
  EXPECT_EQ(decoder.fault(), nullptr);
  decoder.feed(bytes({0x00, 0x05, 1, 2, 3, 4}));
  ASSERT_TRUE(decoder.ready());
  EXPECT_EQ(decoder.header().length, 5U);
  decoder.next();
  decoder.feed(bytes({0x88, 0x00}));
  ASSERT_TRUE(decoder.ready());
  EXPECT_EQ(decoder.header().opcode, Opcode::kClose);
}

/// One byte at a time, by the letter of the RFC and nothing else: what the decoder is held against.
struct SlowDecoder {
  std::vector<std::uint64_t> lengths;
  std::vector<std::uint8_t> opcodes;
  static SlowDecoder read(const std::vector<std::byte> &wire) {
    SlowDecoder slow;
    std::size_t at = 0;
    const auto byte = [&] { return std::to_integer<std::uint64_t>(wire[at++]); };
    while (at < wire.size()) {
      slow.opcodes.push_back(static_cast<std::uint8_t>(byte() & 15U));
      const std::uint64_t second = byte();
      std::uint64_t length = second & 127U;
      const int more = length == 126 ? 2 : (length == 127 ? 8 : 0);
      length = more == 0 ? length : 0;
      for (int i = 0; i < more; ++i) {
        length = length * 256 + byte();
      }
      at += 4 + static_cast<std::size_t>(length);
      slow.lengths.push_back(length);
    }
    return slow;
  }
};

TEST(FrameDecoder, ReadsTheSameUnderEverySplit) {
  SeededRandom random(42);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> wire;
    bool open = false;
    for (int frame = 0; frame < 20; ++frame) {
      const bool control = random.below(4) == 0;
      const std::uint64_t length =
          control ? random.below(126) : (random.below(10) == 0 ? 65536 : random.below(300));
      FrameHeader header{open ? Opcode::kContinuation : Opcode::kText, random.below(2) == 0, true,
                         static_cast<std::uint32_t>(random.next()), length};
      if (control) {
        header.opcode = Opcode::kPing;
        header.fin = true;
      } else {
        open = !header.fin;
      }
      std::array<std::byte, kFrameHeaderBytes> head{};
      write_frame_header(head.data(), header);
      wire.insert(wire.end(), head.begin(),
                  head.begin() + static_cast<std::ptrdiff_t>(frame_header_size(true, length)));
      wire.resize(wire.size() + length);
    }
    const SlowDecoder slow = SlowDecoder::read(wire);
    FrameDecoder decoder(true);
    std::size_t frames = 0;
    std::uint64_t skip = 0;
    std::size_t at = 0;
    while (at < wire.size()) {
      std::size_t left = std::min<std::size_t>(1 + random.below(40), wire.size() - at);
      while (left > 0) {
        const std::size_t payload = std::min<std::uint64_t>(skip, left);
        skip -= payload;
        left -= payload;
        at += payload;
        const std::size_t used = decoder.feed({wire.data() + at, left});
        at += used;
        left -= used;
        ASSERT_EQ(decoder.fault(), nullptr);
        if (decoder.ready()) {
          ASSERT_EQ(decoder.header().length, slow.lengths[frames]);
          ASSERT_EQ(static_cast<std::uint8_t>(decoder.header().opcode), slow.opcodes[frames]);
          ++frames;
          skip = decoder.header().length;
          decoder.next();
        }
      }
    }
    ASSERT_EQ(frames, slow.lengths.size());
  }
}

TEST(Mask, IsTheXorOfTheRfcAtEverySizeAlignmentAndPhase) {
  std::array<std::byte, 4> key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};
  std::uint32_t word = 0;
  std::memcpy(&word, key.data(), sizeof word);
  for (const MaskFunction mask : {&mask_portable, best_mask()}) {
    for (std::size_t size = 0; size < 300; ++size) {
      const std::size_t offset = size % 33;
      for (std::size_t phase = 0; phase < 4; ++phase) {
        std::vector<std::byte> data(offset + size + 1, std::byte{0x5A});
        mask(data.data() + offset, size, rotate_key(word, phase));
        for (std::size_t i = 0; i < size; ++i) {
          ASSERT_EQ(data[offset + i], std::byte{0x5A} ^ key[(i + phase) % 4]);
        }
        ASSERT_EQ(data[offset + size], std::byte{0x5A});
        ASSERT_TRUE(offset == 0 || data[offset - 1] == std::byte{0x5A});
      }
    }
  }
}

struct TextRow {
  const char *bytes;
  bool valid;
  std::size_t refused_at; // the byte that cannot be right; the size where the end is missing
};

TEST(Utf8, IsRefusedAtTheFirstImpossibleByte) {
  const TextRow rows[] = {
      {"Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!", true, 0},
      {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5", true, 0},
      {"\x7F", true, 0},
      {"\xC2\x80", true, 0},
      {"\xDF\xBF", true, 0},
      {"\xE0\xA0\x80", true, 0},
      {"\xED\x9F\xBF", true, 0},
      {"\xEE\x80\x80", true, 0},
      {"\xEF\xBF\xBD", true, 0},
      {"\xEF\xBF\xBF", true, 0},
      {"\xF0\x90\x80\x80", true, 0},
      {"\xF4\x8F\xBF\xBF", true, 0},
      {"12345678\xC3\xA9"
       "12345678",
       true, 0},
      {"\x80", false, 0},
      {"\xBF", false, 0},
      {"\xC0\xAF", false, 0},
      {"\xC1\xBF", false, 0},
      {"\xC2", false, 1},
      {"\xC2"
       "A",
       false, 1},
      {"\xE0\x80\xAF", false, 1},
      {"\xE0\x9F\xBF", false, 1},
      {"\xE1\x80", false, 2},
      {"\xE1\x80"
       "A",
       false, 2},
      {"\xED\xA0\x80", false, 1},
      {"\xED\xBF\xBF", false, 1},
      {"\xF0\x80\x80\xAF", false, 1},
      {"\xF0\x8F\xBF\xBF", false, 1},
      {"\xF0\x90\x80", false, 3},
      {"\xF4\x90\x80\x80", false, 1},
      {"\xF5\x80\x80\x80", false, 0},
      {"\xF8\x88\x80\x80\x80", false, 0},
      {"\xFE", false, 0},
      {"\xFF", false, 0},
      {"12345678\xFF", false, 8},
      {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
       "edited",
       false, 12},
      {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90\x80\x80"
       "edited",
       false, 12},
  };
  for (const TextRow &row : rows) {
    const auto text = std::as_bytes(std::span(row.bytes, std::strlen(row.bytes)));
    EXPECT_EQ(is_utf8(text), row.valid) << row.bytes;
    Utf8Checker checker;
    std::size_t at = 0;
    while (at < text.size() && checker.feed(text.subspan(at, 1))) {
      ++at;
    }
    EXPECT_EQ(at, row.valid ? text.size() : row.refused_at) << row.bytes;
    EXPECT_EQ(at == text.size() && checker.complete(), row.valid);
  }
}

TEST(ClosePayload, IsReadStrictly) {
  EXPECT_EQ(read_close({}).code, 0);
  EXPECT_EQ(read_close({}).refusal, 0);
  EXPECT_EQ(read_close(bytes({0x03})).refusal, 1002);
  for (unsigned code = 0; code < 65536; ++code) {
    const auto payload = bytes({static_cast<int>(code >> 8U), static_cast<int>(code & 255U), 'x'});
    const CloseFrame close = read_close(payload);
    const bool legal = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                       (code >= 3000 && code <= 4999);
    ASSERT_EQ(close.refusal, legal ? 0 : 1002) << code;
    ASSERT_EQ(close.code, legal ? code : 0U);
    ASSERT_EQ(close.reason, legal ? "x" : "");
  }
  EXPECT_EQ(read_close(bytes({0x03, 0xE8, 0xC3})).refusal, 1007);
  EXPECT_EQ(read_close(bytes({0x03, 0xE8, 0xFF, 'a'})).refusal, 1007);
}

TEST(ClosePayload, IsWrittenSoThatItCanBeRead) {
  std::array<std::byte, kControlPayloadBytes> out{};
  EXPECT_EQ(write_close(out.data(), 0, "no code, no reason"), 0U);
  const auto round = [&](std::uint16_t code, std::string_view reason) {
    const std::size_t size = write_close(out.data(), code, reason);
    EXPECT_LE(size, kControlPayloadBytes);
    CloseFrame close = read_close(std::span(out).first(size));
    EXPECT_EQ(close.refusal, 0);
    return close;
  };
  EXPECT_EQ(round(1000, "bye").reason, "bye");
  EXPECT_EQ(round(1006, "").code, 1011);
  EXPECT_EQ(round(1000, "\xFF").reason, "");
  EXPECT_EQ(round(1000, std::string(123, 'x')).reason.size(), 123U);
  EXPECT_EQ(round(1000, std::string(200, 'x')).reason.size(), 123U);
  std::string cut_inside_a_character(122, 'x');
  cut_inside_a_character.append("\xC3\xA9");
  EXPECT_EQ(round(1000, cut_inside_a_character).reason.size(), 122U);
}

} // namespace
} // namespace culvert
