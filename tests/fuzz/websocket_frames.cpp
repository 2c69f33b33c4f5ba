// Headers of WebSocket frames, in pieces: the decoder never takes more than there is, and what it
// has read is written in the same bytes, or in fewer where the length was not the shortest.
#include "fuzz.hpp"

#include "link/frame.hpp"
#include "link/frame_close.hpp"

#include <algorithm>
#include <array>

using namespace culvert;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  for (const bool masked : {true, false}) {
    FrameDecoder decoder(masked);
    std::size_t at = 0;
    std::size_t piece = 1;
    while (at < size && decoder.fault() == nullptr) {
      const std::size_t offered = std::min(piece, size - at);
      const std::size_t taken = decoder.feed(std::as_bytes(std::span(data + at, offered)));
      fuzz::must(taken <= offered);
      at += taken;
      piece = piece % 13 + 1;
      if (!decoder.ready()) {
        fuzz::must(taken == offered || decoder.fault() != nullptr);
        continue;
      }
      const FrameHeader &header = decoder.header();
      fuzz::must(header.masked == masked);
      fuzz::must(!is_control(header.opcode) || header.length <= kControlPayloadBytes);
      std::array<std::byte, kFrameHeaderBytes> written{};
      fuzz::must(frame_header_size(masked, header.length) <= written.size());
      write_frame_header(written.data(), header);
      at += std::min<std::uint64_t>(header.length, size - at);
      decoder.next();
    }
  }
  return 0;
}
