// Whole messages over a byte link, each after its length in 16 bits, big-endian: for control
// channels without WebSocket.
//
// Used on its shard only; owns the link below. take() returns a message as one chunk, whatever
// Take::chunk_bytes is: in place if it arrived in one piece, otherwise from a buffer that counts in
// the shard's HeldBudget until it is complete. A message is sent as one chunk of 1 to
// largest_first_frame bytes. An empty message is a protocol error, because a peer could keep the
// loop busy with two bytes each. A ping message is answered here, and a pong message is not passed
// on.
#pragma once

#include "link/description.hpp"
#include "link/framed.hpp"

#include <array>
#include <memory>
#include <vector>

namespace culvert {

class MessagesLink final : public FramedLink {
public:
  MessagesLink(Shard &shard, std::unique_ptr<Link> below, const FramingOptions &options);
  /// The largest message of such a link.
  static std::size_t largest(const FramingOptions &options);
  ~MessagesLink() override;

  void send(const Chunk &chunk) override;
  [[nodiscard]] LinkFacts facts() const override;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  bool take_own(Chunk &chunk, const Take &how) override;
  void on_end_below(const Ending &ending) override;
  [[nodiscard]] bool own_frame_due() const override {
    return sending_ == Sending::kOpen && (pong_due_ || ping_due_);
  }
  void send_own_frames() override;
  void queue_ping() override { ping_due_ = true; }
  void start_finish(const Ending &ending) override;
  // Only the link below sends an end.
  [[nodiscard]] bool output_waits() const override { return false; }
  [[nodiscard]] bool awaits_peer() const override { return false; }
  [[nodiscard]] std::uint64_t peer_wait_ms() const override { return 0; }

private:
  static constexpr std::size_t kPrefixBytes = 2;

  void read_prefix();
  bool read_message(Chunk &chunk, const Take &how);
  bool take_ping_or_pong(std::span<const std::byte> message);
  void send_own_message(const std::string &text);
  void fail(Code code, const char *why);
  void on_below_finish(Outcome outcome);

  const std::size_t largest_;
  std::string ping_;
  std::string pong_;

  Chunk piece_; // the unused rest of the piece from below
  bool turn_over_ = true;
  std::array<std::byte, kPrefixBytes> prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t size_ = 0;                          // of the message whose prefix was read
  std::vector<std::byte> partial_;                // a message that arrives in several pieces
  std::vector<std::vector<std::byte>> assembled_; // returned by take() in this turn

  bool pong_due_ = false;
  bool ping_due_ = false;
  Completion below_finish_;
};

} // namespace culvert
