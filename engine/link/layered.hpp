// A link over another link: the common part of TLS and the framings.
//
// Used on its shard only. It owns the link below and is its only user. It passes an ending down.
// All its operations on the link below have then completed, because the completion of that ending
// is the last one of the link below.
#pragma once

#include "link/link.hpp"

#include <memory>

namespace culvert {

class LayeredLink : public Link {
public:
  [[nodiscard]] std::size_t held() const final { return below_->held(); }
  [[nodiscard]] std::uint64_t silent_ms() const final { return below_->silent_ms(); }
  [[nodiscard]] Address local_address() const final { return below_->local_address(); }
  [[nodiscard]] Address peer_address() const final { return below_->peer_address(); }
  void discard_at_most(std::size_t bytes) final { below_->discard_at_most(bytes); }
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  LayeredLink(Shard &shard, std::unique_ptr<Link> below);

  virtual void on_below_receive(Outcome outcome) = 0;
  virtual void on_below_drain(Outcome outcome) = 0;

  void start_watch() override { below_->watch(below_watch_); }
  void cancel_reading() override;
  void arm_ending() final;
  void release(End end) final;
  [[nodiscard]] bool released() const final {
    return !below_end_.in_flight() && !below_drop_.in_flight();
  }

  void receive_below();
  void drain_below();
  /// True if the sending direction broke below, or if the kernel has taken every accepted byte.
  [[nodiscard]] bool clear() const { return below_->broken() || below_->held() == 0; }
  void note_broken();

  std::unique_ptr<Link> below_;
  bool below_turn_ = false; // a turn of the link below can be taken
  Completion below_receive_;
  Completion below_watch_;
  Completion below_drain_;

private:
  void on_below_received(Outcome outcome);
  void on_below_watch(Outcome outcome);
  void on_below_end(Outcome outcome);
  void on_below_drop(Outcome) { advance(); }

  Completion below_end_; // of its abort or close
  Completion below_drop_;
};

} // namespace culvert
