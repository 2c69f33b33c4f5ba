// A pair of links inside one shard, without a kernel: what the tests of upper links stand on.
//
// Both ends are used on the thread that made them; either may move to another shard that the same
// thread drives. The two ends share one MemoryWire a direction and may die in any order. Messages
// keep their borders and kinds. The wire takes `wire_bytes` of each direction, as a socket's
// buffers would; what is beyond that is held, and counted in the writer's shard.
//
// Endings are those of a raw socket that ends a tunnel, but that finish() carries its code and
// reason.
#pragma once

#include "link/link.hpp"

#include <cerrno>
#include <utility>

namespace culvert {

class MemoryWire;

class MemoryLink final : public Link {
public:
  using Pair = std::pair<std::unique_ptr<MemoryLink>, std::unique_ptr<MemoryLink>>;
  static Pair make_pair(Shard &shard, std::size_t wire_bytes = kTurnBytes);
  ~MemoryLink() override;

  void send(const Chunk &chunk) override;
  void flush() override { both_look(); }
  [[nodiscard]] std::size_t held() const override;
  [[nodiscard]] LinkFacts facts() const override;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  void start_receive() override;
  bool take_own(Chunk &chunk, const Take &how) override;
  void start_watch() override { look(); }
  void cancel_reading() override;
  void start_drain() override { look(); }
  void cancel_drain() override { complete_later(draining_, -ECANCELED); }
  void start_finish(const Ending &ending) override;

  void prepare_end(End end) override;
  [[nodiscard]] bool output_waits() const override { return !broken_ && held() > 0; }
  void send_output() override {}
  [[nodiscard]] bool awaits_peer() const override;
  [[nodiscard]] std::uint64_t peer_wait_ms() const override { return shard_->limits.linger_ms; }
  void arm_ending() override;
  void release(End end) override { cut(end != End::kClose); }
  [[nodiscard]] bool released() const override { return true; }

private:
  MemoryLink(Shard &shard, std::shared_ptr<MemoryWire> out, std::shared_ptr<MemoryWire> in);
  void look();
  void both_look();
  void count_held();
  void discard_input();
  void cut(bool reset);

  std::shared_ptr<MemoryWire> out_;
  std::shared_ptr<MemoryWire> in_;
  MemoryLink *other_ = nullptr;
  std::size_t counted_ = 0; // of held(), in the shard's budget
  std::size_t turn_size_ = 0;
  std::size_t turn_taken_ = 0;
  bool turn_received_ = false;
};

} // namespace culvert
