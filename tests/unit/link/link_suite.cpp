#include "unit/link/link_suite.hpp"

#include "link/tcp.hpp"
#include "support/memory_link/memory.hpp"
#include "unit/io/io_tools.hpp"

#include <algorithm>
#include <cerrno>
#include <ostream>

namespace culvert::test {

// --- the lab ------------------------------------------------------------------------------------

LinkLab::LinkLab(std::unique_ptr<IoWorld> world) : world_(std::move(world)) {
  add_shard();
}

void LinkLab::add_shard() {
  const auto index = static_cast<unsigned>(shards_.size());
  shards_.push_back(std::make_unique<Shard>(world_->make(), random_, log_, index));
}

Shard &LinkLab::other_shard() {
  if (shards_.size() == 1) {
    add_shard();
  }
  return *shards_[1];
}

void LinkLab::run_some(std::size_t rounds) {
  // A simulated world may have nothing left to do before that.
  run_until([&] { return rounds == 0 || --rounds == 0; });
}

std::string LinkLab::leaks() {
  std::string text;
  for (const auto &shard : shards_) {
    if (shard->io.in_flight() != 0) {
      text += "in flight: " + std::to_string(shard->io.in_flight()) + "\n";
    }
    if (shard->held.held() != 0) {
      text += "held: " + std::to_string(shard->held.held()) + "\n";
    }
    if (shard->io.nearest_deadline_ns() != Timers::kNever) {
      text += "a timer is armed\n";
    }
  }
  // A simulated socket that was closed lives on in its kernel; world().open_sockets() knows that.
  if (world_->open_sockets() != 0) {
    text += "sockets: " + std::to_string(world_->open_sockets()) + "\n";
  }
  return text;
}

LinkPair LinkLab::tcp_pair(bool tunnel_ends, Address::Family family) {
  const Pair pair = connected_pair(*world_, shard().io, family);
  LinkPair links{std::make_unique<TcpLink>(shard(), pair.client),
                 std::make_unique<TcpLink>(shard(), pair.server)};
  if (tunnel_ends) {
    links.near->end_tunnel_here();
    links.far->end_tunnel_here();
  }
  return links;
}

LinkPair LinkLab::memory_pair(std::size_t wire_bytes) {
  MemoryLink::Pair pair = MemoryLink::make_pair(shard(), wire_bytes);
  return {std::move(pair.first), std::move(pair.second)};
}

std::string kind_name(const testing::TestParamInfo<LinkKind> &info) {
  return info.param.name;
}

void PrintTo(const LinkKind &kind, std::ostream *out) {
  *out << kind.name;
}

void Event::on_outcome(Outcome outcome) {
  outcomes.push_back(outcome.result);
  if (then) {
    then(outcome.result);
  }
}

void fill_coded(std::span<std::byte> out, std::uint64_t seed, std::size_t position) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t at = position + i;
    if (i == 0 || at % 8 == 0) {
      word = (seed + at / 8) * 0x9E3779B97F4A7C15U;
      word ^= word >> 29U;
    }
    out[i] = static_cast<std::byte>(word >> (8 * (at % 8)));
  }
}

// --- a user of a link ---------------------------------------------------------------------------

LinkUser::LinkUser(std::unique_ptr<Link> link, std::uint64_t seed_out, std::uint64_t seed_in)
    : link_(std::move(link)), facts_(link_->facts()), seed_out_(seed_out), seed_in_(seed_in),
      buffer_(kHeadroom + kTurnBytes), expected_(kTurnBytes) {
  receiving.then = [this](int result) { on_receive(result); };
  draining.then = [this](int result) {
    if (result == 0) {
      write_some();
    }
  };
  // A count of outcomes is compared, never a capacity that grew under a test of allocations.
  receiving.outcomes.reserve(65'536);
  draining.outcomes.reserve(65'536);
}

void LinkUser::write_to(std::size_t total) {
  write_goal_ = total;
  if (!draining.completion.in_flight()) {
    write_some();
  }
}

void LinkUser::write_until_held() {
  until_held_ = true;
  write_to(SIZE_MAX / 2);
}

void LinkUser::finish(const Ending &ending) {
  link_->finish(ending, finished.completion);
}

void LinkUser::write_some() {
  while (written_ < write_goal_ && !link_->broken() && !ending_) {
    if (link_->held() > 0) {
      if (until_held_) {
        write_goal_ = written_;
      } else {
        link_->drain(draining.completion);
      }
      return;
    }
    write_turn(std::min(turn_bytes, write_goal_ - written_));
  }
  if (finish_after_write && written_ == write_goal_ && !ending_) {
    finish_after_write = false;
    finish();
  }
}

void LinkUser::write_turn(std::size_t size) {
  std::byte *const base = buffer_.data() + kHeadroom;
  fill_coded({base, size}, seed_out_, written_);
  for (std::size_t done = 0; done < size;) {
    std::size_t piece = std::min(facts_.largest_first_frame, size - done);
    Chunk chunk{base + done, piece, facts_.gathers ? 0 : kHeadroom + done, ChunkKind::kBinary,
                true};
    if (message_bytes > 0) {
      const std::size_t into = written_ % message_bytes;
      piece = std::min(piece, message_bytes - into);
      chunk.size = piece;
      chunk.end_of_message = into + piece == message_bytes;
      const bool text = (written_ / message_bytes) % 2 == 1;
      chunk.kind = text ? ChunkKind::kText : ChunkKind::kBinary;
    }
    link_->send(chunk);
    done += piece;
    written_ += piece;
  }
  link_->flush();
}

void LinkUser::read_to(std::size_t limit) {
  read_limit_ = limit;
  if (read_ < read_limit_ && !receiving.completion.in_flight() && end() == nullptr) {
    link_->receive(receiving.completion);
  }
}

void LinkUser::on_receive(int result) {
  if (result != 0) {
    return;
  }
  ++turns_;
  if (decline_every == 0 || turns_ % decline_every != 0) {
    std::array<Chunk, 512> kept;
    std::size_t count = 0;
    Chunk chunk;
    Take take = how;
    take.turn_bytes = std::min(take.turn_bytes, read_limit_ - read_);
    while (link_->take(chunk, take)) {
      if (!take.keep) {
        check(chunk);
      } else if (count < kept.size()) {
        kept[count++] = chunk;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      check(kept[i]);
    }
  }
  if (end() == nullptr && read_ < read_limit_ && !ending_) {
    link_->receive(receiving.completion);
  }
}

void LinkUser::check(const Chunk &chunk) {
  const std::span<std::byte> expected = std::span(expected_).first(chunk.size);
  fill_coded(expected, seed_in_, read_);
  intact_ = intact_ && std::equal(expected.begin(), expected.end(), chunk.data);
  read_ += chunk.size;
  message_read_ += chunk.size;
  if (chunk.end_of_message && message_bytes > 0) {
    messages.emplace_back(chunk.kind, message_read_);
    message_read_ = 0;
  }
  // Both are the taker's to write to, so nothing may rest on them.
  std::fill_n(chunk.data, how.keep ? 0 : chunk.size, std::byte{0xEE});
  std::fill_n(chunk.data - chunk.headroom, chunk.headroom, std::byte{0xEE});
}

void LinkUser::give_back(std::size_t count) {
  ASSERT_LE(count, read_);
  read_ -= count;
  std::vector<std::byte> tail(count);
  fill_coded(tail, seed_in_, read_);
  link_->unread(tail);
}

bool LinkUser::over() const {
  const bool any = ended.done() || dropped.done();
  return any && !ended.completion.in_flight() && !dropped.completion.in_flight();
}

// --- the fixture --------------------------------------------------------------------------------

void LinkSuite::connect() {
  LinkPair pair = GetParam().connect(lab);
  ASSERT_NE(pair.near, nullptr);
  ASSERT_NE(pair.far, nullptr);
  near = std::make_unique<LinkUser>(std::move(pair.near), 1'000'000, 2'000'000);
  far = std::make_unique<LinkUser>(std::move(pair.far), 2'000'000, 1'000'000);
}

void LinkSuite::end_all() {
  for (LinkUser *user : {near.get(), far.get()}) {
    if (user != nullptr && !user->over() && !user->dropped.completion.in_flight()) {
      user->drop();
    }
  }
  for (LinkUser *user : {near.get(), far.get()}) {
    if (user != nullptr) {
      ASSERT_TRUE(run_until([&] { return user->over(); }));
      EXPECT_TRUE(user->intact());
    }
  }
  near.reset();
  far.reset();
  EXPECT_TRUE(run_until([&] { return lab.leaks().empty(); })) << lab.leaks();
}

void LinkSuite::close_both() {
  near->close();
  far->close();
  ASSERT_TRUE(run_until([&] { return near->over() && far->over(); }));
  EXPECT_EQ(near->ended.result(), 0);
  EXPECT_EQ(far->ended.result(), 0);
}

} // namespace culvert::test
