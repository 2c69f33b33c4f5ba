#include "link/link.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace culvert {

Link::Link(Shard &shard) : shard_(&shard) {
  tick_.bind<&Link::on_tick>(*this);
  wake_.bind<&Link::on_wake>(*this);
  ending_timer_.bind<&Link::advance>(*this);
}

// --- completions --------------------------------------------------------------------------------

void Link::begin(Completion *&slot, Completion &completion) {
  CULVERT_ASSERT(slot == nullptr);
  completion.begin();
  slot = &completion;
}

void Link::complete_now(Completion *&slot, int result) {
  CULVERT_ASSERT(slot != nullptr);
  Completion *completion = slot;
  slot = nullptr;
  completion->run({result, false});
}

void Link::complete_later(Completion *&slot, int result) {
  if (slot == nullptr) {
    return;
  }
  CULVERT_ASSERT(due_count_ < kMostDue);
  due_[due_count_++] = {slot, result};
  slot = nullptr;
  if (!tick_.in_flight()) {
    shard_->io.yield(tick_);
  }
}

void Link::on_tick(Outcome) {
  // Completions that these callbacks add wait for the next tick. The last callback may destroy
  // `this`.
  const std::array<Due, kMostDue> batch = due_;
  const std::size_t count = due_count_;
  due_count_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    batch[i].completion->run({batch[i].result, false});
  }
}

// --- receiving ----------------------------------------------------------------------------------

void Link::receive(Completion &completion) {
  begin(receiving_, completion);
  unread_turn_bytes_ = 0;
  if (has_unread()) {
    turn_ = Turn::kUnread;
    complete_later(receiving_, 0);
    return;
  }
  unread_ = {};
  unread_taken_ = 0;
  if (received_end_) {
    turn_ = Turn::kNothing;
    complete_later(receiving_, 0);
    return;
  }
  turn_ = Turn::kOwn;
  start_receive();
}

bool Link::take(Chunk &chunk, const Take &how) {
  if (turn_ == Turn::kOwn) {
    return take_own(chunk, how);
  }
  const std::size_t size =
      std::min({how.chunk_bytes, unread_.size() - unread_taken_,
                how.turn_bytes - std::min(how.turn_bytes, unread_turn_bytes_)});
  if (size == 0) {
    return false;
  }
  chunk = {unread_.data() + unread_taken_, size, how.keep ? 0 : kHeadroom, ChunkKind::kBinary,
           true};
  unread_taken_ += size;
  unread_turn_bytes_ += size;
  return true;
}

void Link::unread(std::span<const std::byte> tail) {
  if (tail.empty()) {
    return;
  }
  std::vector<std::byte> joined(kHeadroom + tail.size() + unread_.size() - unread_taken_);
  std::copy(tail.begin(), tail.end(), joined.begin() + kHeadroom);
  std::copy(unread_.begin() + static_cast<std::ptrdiff_t>(unread_taken_), unread_.end(),
            joined.begin() + static_cast<std::ptrdiff_t>(kHeadroom + tail.size()));
  unread_ = std::move(joined);
  unread_taken_ = kHeadroom;
}

void Link::watch(Completion &completion) {
  CULVERT_ASSERT(open() && receiving_ == nullptr);
  begin(watching_, completion);
  start_watch();
}

// --- sending ------------------------------------------------------------------------------------

void Link::drain(Completion &completion) {
  begin(draining_, completion);
  start_drain();
  if (held() == 0 || broken_) {
    complete_later(draining_, 0);
  }
}

void Link::finish(const Ending &ending, Completion &completion) {
  CULVERT_ASSERT(open() && !ending.aborted && (broken_ || sending_ == Sending::kOpen));
  begin(finishing_, completion);
  start_finish(ending);
}

void Link::cancel(Completion &completion) {
  if (&completion == receiving_ || &completion == watching_) {
    cancel_reading();
  } else if (&completion == draining_) {
    cancel_drain();
  } else {
    cancel_own(completion);
  }
}

// --- moving -------------------------------------------------------------------------------------

void Link::leave() {
  CULVERT_ASSERT(open() && receiving_ == nullptr && watching_ == nullptr);
  CULVERT_ASSERT(draining_ == nullptr && finishing_ == nullptr);
  CULVERT_ASSERT(due_count_ == 0 && !tick_.in_flight());
  wake_.disarm();
  shard_ = nullptr;
}

void Link::arrive(Shard &shard) {
  CULVERT_ASSERT(shard_ == nullptr);
  shard_ = &shard;
}

} // namespace culvert
