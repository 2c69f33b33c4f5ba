// A user of a link that neither allocates nor copies itself, so that what is counted is the link's.
//
// Used on the test's thread; it owns its link, which is dropped and joined before it dies.
#pragma once

#include "unit/byte_path/counters.hpp"
#include "unit/tunnel/tunnel_world.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace culvert::test {

/// Writes turns of one buffer and forgets what it reads: itself it neither allocates nor copies.
class PlainUser {
public:
  explicit PlainUser(std::unique_ptr<Link> link_of_it)
      : link(std::move(link_of_it)), facts_(link->facts()), buffer_(kHeadroom + kTurnBytes) {
    receiving_.bind<&PlainUser::on_receive>(*this);
    draining_.bind<&PlainUser::on_drain>(*this);
  }
  void read() { link->receive(receiving_); }
  void write_to(std::uint64_t total) {
    goal_ = total;
    if (!draining_.in_flight()) {
      write_some();
    }
  }
  void drop() { link->drop(dropped.completion); }

  std::unique_ptr<Link> link;
  std::uint64_t bytes_read = 0;
  std::uint64_t written = 0;
  Event dropped;

private:
  void write_some() {
    while (written < goal_ && !link->broken()) {
      if (link->held() > 0) {
        link->drain(draining_);
        return;
      }
      const std::size_t turn = std::min<std::uint64_t>(kTurnBytes / 4, goal_ - written);
      for (std::size_t at = 0; at < turn;) {
        const std::size_t size = std::min(facts_.largest_first_frame, turn - at);
        link->send({buffer_.data() + kHeadroom + at, size, facts_.gathers ? 0 : kHeadroom});
        at += size;
        written += size;
      }
      link->flush();
    }
  }
  void on_drain(Outcome outcome) {
    if (outcome.result == 0) {
      write_some();
    }
  }
  void on_receive(Outcome outcome) {
    if (outcome.result != 0) {
      return;
    }
    Chunk chunk;
    while (link->take(chunk, Take{})) {
      bytes_read += chunk.size;
    }
    if (link->received_end() == nullptr) {
      link->receive(receiving_);
    }
  }

  LinkFacts facts_;
  std::vector<std::byte> buffer_;
  std::uint64_t goal_ = 0;
  Completion receiving_;
  Completion draining_;
};

} // namespace culvert::test
