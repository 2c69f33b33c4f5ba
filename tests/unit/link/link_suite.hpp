// The suite every link runs: a lab with one or two shards, users of links, and the fixture.
//
// Used on the test's thread. A link joins the suite with one line, in a test file of its own:
//
//   INSTANTIATE_TEST_SUITE_P(Tls, LinkSuite,
//                            testing::Values(LinkKind{"uring", &make_uring_world, &tls_pair,
//                            {...}}), kind_name);
//
// where `LinkPair tls_pair(LinkLab &lab)` connects two links: it usually begins with
// lab.tcp_pair() or lab.memory_pair(), stacks its links on those, and drives their handshake with
// lab.run_until().
#pragma once

#include "core/random.hpp"
#include "link/link.hpp"
#include "support/silent_log.hpp"
#include "unit/io/io_world.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace culvert::test {

std::unique_ptr<IoWorld> make_sim_world();
/// Every fault after which a stream still arrives whole, each often.
std::unique_ptr<IoWorld> make_faulty_sim_world();

struct LinkPair {
  std::unique_ptr<Link> near;
  std::unique_ptr<Link> far;
};

/// Where links live: the Ios of one world, and the shards on them.
class LinkLab {
public:
  explicit LinkLab(std::unique_ptr<IoWorld> world);

  Shard &shard() { return *shards_[0]; }
  /// A second shard on the same thread, for moves.
  Shard &other_shard();
  Random &random() { return random_; }
  IoWorld &world() { return *world_; }
  bool run_until(const std::function<bool()> &predicate) { return world_->run_until(predicate); }
  /// Lets the loops turn about so often: for a moment that is nothing in particular.
  void run_some(std::size_t rounds);
  /// True when minutes pass at once.
  bool virtual_time() { return std::string(shard().io.name()) == "sim"; }
  /// Operations begun and not completed, sockets open and bytes held, over all shards; "" if none.
  std::string leaks();

  /// Connected sockets as links; tunnel_ends: both are, as an app's and a target's are.
  LinkPair tcp_pair(bool tunnel_ends = false, Address::Family family = Address::Family::kIpv4);
  LinkPair memory_pair(std::size_t wire_bytes = kTurnBytes);

private:
  void add_shard();

  std::unique_ptr<IoWorld> world_;
  SilentLog log_;
  SeededRandom random_{7};
  std::vector<std::unique_ptr<Shard>> shards_;
};

/// What a link promises beyond the contract common to all.
struct LinkTraits {
  bool keeps_messages = false;          // borders and kinds of messages cross
  bool keeps_reason = false;            // a finish's code and reason cross
  bool can_half_close = true;           // one direction goes on after the other finished
  bool abort_is_read = true;            // the peer reads an abort as aborted, not as a finish
  bool drop_is_read = true;             // the peer reads a drop as aborted
  bool byte_stream = true;              // unread() works
  bool watch_sees_finish = false;       // a watch sees it past unread bytes; a Close is such a byte
  bool can_move = true;                 // leave() and arrive()
  std::uint64_t layers_that_linger = 1; // each waits linger_ms for a silent peer's end
  bool allocates = false;               // by a library below it, in steady state
};

struct LinkKind {
  std::string name;
  std::unique_ptr<IoWorld> (*make_world)();
  LinkPair (*connect)(LinkLab &lab);
  LinkTraits traits;
};

std::string kind_name(const testing::TestParamInfo<LinkKind> &info);
void PrintTo(const LinkKind &kind, std::ostream *out);

/// One operation's completion and everything it completed with.
struct Event {
  Event() { completion.bind<&Event::on_outcome>(*this); }
  void on_outcome(Outcome outcome);
  [[nodiscard]] bool done() const { return !completion.in_flight() && !outcomes.empty(); }
  [[nodiscard]] int result() const { return outcomes.empty() ? -9999 : outcomes.back(); }

  Completion completion;
  std::vector<int> outcomes;
  std::function<void(int)> then;
};

/// Bytes whose value tells their position in the stream of this seed.
void fill_coded(std::span<std::byte> out, std::uint64_t seed, std::size_t position);

/// Writes and reads one link, as a pump at each side would, and checks every byte it reads.
class LinkUser {
public:
  LinkUser(std::unique_ptr<Link> link, std::uint64_t seed_out, std::uint64_t seed_in);
  /// The link goes on elsewhere; nothing of this user may be in flight.
  std::unique_ptr<Link> release() { return std::move(link_); }

  Link &link() { return *link_; }
  Link *operator->() { return link_.get(); }

  // --- writing ----------------------------------------------------------------------------------
  /// Writes on until `total` bytes were accepted since the beginning.
  void write_to(std::size_t total);
  /// The same, but stops for good once the link holds bytes; true when it does.
  void write_until_held();
  [[nodiscard]] std::size_t written() const { return written_; }
  [[nodiscard]] bool writing_done() const { return written_ >= write_goal_; }
  void finish(const Ending &ending = Ending::finished());
  std::size_t turn_bytes = kTurnBytes;
  std::size_t message_bytes = 0; // 0: every chunk is a message; else messages of this size
  bool finish_after_write = false;

  // --- reading ----------------------------------------------------------------------------------
  /// Reads until the end, or until `limit` bytes were read since the beginning.
  void read_to(std::size_t limit = SIZE_MAX);
  [[nodiscard]] std::size_t bytes_read() const { return read_; }
  [[nodiscard]] bool intact() const { return intact_; }
  [[nodiscard]] const Ending *end() const { return link_->received_end(); }
  /// The last bytes read are given back and will be read again.
  void give_back(std::size_t count);
  Take how;
  unsigned decline_every = 0;                              // every so manyth turn is declined
  std::vector<std::pair<ChunkKind, std::size_t>> messages; // read, in order

  // --- ending -----------------------------------------------------------------------------------
  void abort() {
    ending_ = true;
    link_->abort(ended.completion);
  }
  void close() {
    ending_ = true;
    link_->close(ended.completion);
  }
  void drop() {
    ending_ = true;
    link_->drop(dropped.completion);
  }
  /// The link had its last completion, or there is none.
  [[nodiscard]] bool over() const;

  Event receiving;
  Event draining;
  Event watching;
  Event finished;
  Event ended;
  Event dropped;

private:
  void write_some();
  void write_turn(std::size_t size);
  void on_receive(int result);
  void check(const Chunk &chunk);

  std::unique_ptr<Link> link_;
  LinkFacts facts_;
  std::uint64_t seed_out_;
  std::uint64_t seed_in_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> expected_;
  std::size_t written_ = 0;
  std::size_t write_goal_ = 0;
  bool until_held_ = false;
  std::size_t read_ = 0;
  std::size_t read_limit_ = 0;
  std::size_t message_read_ = 0;
  unsigned turns_ = 0;
  bool intact_ = true;
  bool ending_ = false; // nothing is begun any more
};

class LinkSuite : public testing::TestWithParam<LinkKind> {
protected:
  void SetUp() override { connect(); }
  void TearDown() override { end_all(); }
  /// A new pair of users in `near` and `far`.
  void connect();
  /// Drops what is not over, destroys both links and checks that nothing is left.
  void end_all();
  /// Both close; both must succeed.
  void close_both();

  [[nodiscard]] const LinkTraits &traits() const { return GetParam().traits; }
  bool run_until(const std::function<bool()> &predicate) { return lab.run_until(predicate); }

  LinkLab lab{GetParam().make_world()};
  std::unique_ptr<LinkUser> near;
  std::unique_ptr<LinkUser> far;
};

} // namespace culvert::test
