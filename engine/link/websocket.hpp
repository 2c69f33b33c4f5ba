// A WebSocket (RFC 6455, without extensions) over any byte link, either role, cut-through.
//
// Used on its shard only; owns the link below. A received piece of a frame's payload is unmasked in
// place and passed on at once: it never waits for the rest of a frame, and keeps at most a partial
// header and one control frame. Each chunk sent becomes one frame, or several if it is larger than
// largest_first_frame; masking edits the chunk's bytes. The header is written into the chunk's
// headroom. If the link below keeps references (gathers), it is written into a slot of this link
// instead.
//
// A protocol error is answered with Close 1002 (1007 for text that is not UTF-8). The direction
// then reads as aborted, and nothing more is sent. Everything that follows is skipped until the
// peer's Close. The handshake is in link/http_upgrade.hpp.
#pragma once

#include "core/utf8.hpp"
#include "link/frame.hpp"
#include "link/framed.hpp"
#include "link/mask.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace culvert {

enum class WebSocketRole : std::uint8_t { kClient, kServer };

struct WebSocketOptions {
  WebSocketRole role = WebSocketRole::kClient;
  bool check_utf8 = false; // of text messages; close reasons are always checked
  PingOptions pings = {};
};

class WebSocketLink final : public FramedLink {
public:
  WebSocketLink(Shard &shard, std::unique_ptr<Link> below, const WebSocketOptions &options);

  void send(const Chunk &chunk) override;
  [[nodiscard]] LinkFacts facts() const override;

protected:
  bool take_own(Chunk &chunk, const Take &how) override;
  void on_end_below(const Ending &ending) override;
  [[nodiscard]] bool own_frame_due() const override;
  void send_own_frames() override;
  void queue_ping() override;
  void start_finish(const Ending &ending) override;
  void settle_finish() override;
  void queue_end(End end) override;
  [[nodiscard]] bool output_waits() const override;
  [[nodiscard]] bool awaits_peer() const override;
  [[nodiscard]] std::uint64_t peer_wait_ms() const override;

private:
  bool read_header(const Take &how);
  bool take_payload(Chunk &chunk, const Take &how);
  bool hand_out(std::size_t size, Chunk &chunk, const Take &how);
  void end_frame();
  void on_control();
  void on_close();
  void on_ping();
  void fail(std::uint16_t code, const char *why);
  void queue_close(std::uint16_t code, std::string reason);
  /// The code of our Close: the peer's own if ours answers it, else `code`.
  [[nodiscard]] std::uint16_t answer_code(std::uint16_t code) const;
  void send_frame(const Chunk &piece, bool last);
  void send_control(Opcode opcode, std::span<const std::byte> payload);

  const WebSocketOptions options_;
  const MaskFunction mask_;

  // Receiving.
  FrameDecoder decoder_;
  Chunk piece_;                    // the unused rest of the piece from below
  std::uint64_t payload_left_ = 0; // of the frame whose header was read
  std::uint32_t key_ = 0;          // rotated for the next byte
  ChunkKind kind_ = ChunkKind::kBinary;
  Utf8Checker text_;
  std::array<std::byte, kControlPayloadBytes> control_{};
  std::size_t control_size_ = 0;
  bool peer_closed_ = false;    // a Close of any kind was read
  std::uint16_t peer_code_ = 0; // its code, to be answered

  // Sending.
  bool message_open_ = false;
  bool failed_ = false; // by a protocol error of the peer; our Close reports it
  bool ping_due_ = false;
  std::uint16_t close_code_ = 0;
  std::string close_reason_;
  std::vector<std::byte> pongs_; // not sent yet: for each a size byte and the payload
};

} // namespace culvert
