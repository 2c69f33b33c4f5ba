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

#include <utility>

namespace culvert {

class MemoryWire;

class MemoryLink final : public Link {
public:
  using Pair = std::pair<std::unique_ptr<MemoryLink>, std::unique_ptr<MemoryLink>>;
  static Pair make_pair(Shard &shard, std::size_t wire_bytes = kTurnBytes);
  ~MemoryLink() override;

  void watch(Completion &completion) override;
  void send(const Chunk &chunk) override;
  void flush() override;
  [[nodiscard]] std::size_t held() const override;
  void drain(Completion &completion) override;
  void finish(const Ending &ending, Completion &completion) override;
  void abort(Completion &completion) override;
  void close(Completion &completion) override;
  void drop(Completion &completion) override;
  void cancel(Completion &completion) override;
  [[nodiscard]] LinkFacts facts() const override;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  void start_receive() override;
  bool take_own(Chunk &chunk, const Take &how) override;

private:
  enum class Phase : std::uint8_t { kOpen, kAborting, kClosing, kClosed };

  MemoryLink(Shard &shard, std::shared_ptr<MemoryWire> out, std::shared_ptr<MemoryWire> in);
  void look();
  void both_look();
  void count_held();
  void begin_ending(Phase phase);
  void cancel_waiting();
  void discard_input();
  void cut(bool reset);
  void arm_timer();
  void on_timer();
  void on_step(Outcome outcome);

  std::shared_ptr<MemoryWire> out_;
  std::shared_ptr<MemoryWire> in_;
  MemoryLink *other_ = nullptr;
  std::size_t counted_ = 0; // of held(), in the shard's budget
  std::size_t turn_size_ = 0;
  std::size_t turn_taken_ = 0;
  bool turn_received_ = false;

  Phase phase_ = Phase::kOpen;
  Completion step_; // looks again, outside any caller's call
  Timer timer_;
  std::size_t queue_ = 0; // held when the timer was armed
  bool timed_out_ = false;

  Completion *watching_ = nullptr;
  Completion *draining_ = nullptr;
  Completion *finishing_ = nullptr;
  Completion *ending_ = nullptr;
  Completion *dropping_ = nullptr;
};

} // namespace culvert
