// A client of the relay in tests: connects, says a head, hears the answer, then speaks a framing.
//
// Lives on a shard of its own; its link ends when the test says so, or is dropped with it by
// end_all of the world. Everything it hears is kept.
#pragma once

#include "io/shard.hpp"
#include "link/head_reader.hpp"
#include "link/link.hpp"
#include "link/tls.hpp"
#include "unit/relay/test_protocol.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace culvert::test {

/// How a peer speaks to the relay.
struct PeerWays {
  HeadForm form = HeadForm::kMessage;
  TlsContext *tls = nullptr; // none: plain
  std::string alpn;
};

class Peer {
public:
  /// `head`: the words, with the framing it will speak behind the answer.
  Peer(Shard &shard, const Address &relay, std::string head, PeerWays ways = {});
  ~Peer();

  [[nodiscard]] bool answered() const { return !answer.empty() || ended; }
  void send(std::string bytes, ChunkKind kind = ChunkKind::kText);
  void finish(std::uint16_t code = 0, std::string reason = {});
  void abort();
  void close();
  void drop();
  /// Stops reading; what arrives stays with the kernel.
  bool reading = true;
  void read_on() {
    reading = true;
    arm();
  }
  /// The capability of the n-th offer, "" when it did not come.
  [[nodiscard]] std::string capability(std::size_t index = 0) const;

  std::string answer;            // to the head; of HTTP: status and reason
  std::vector<Message> messages; // whole ones
  std::optional<Ending> heard_end;
  bool ended = false; // the link is gone

private:
  void on_connect(Outcome outcome);
  void on_handshake(Outcome outcome);
  void say_head();
  void on_answer();
  void arm();
  void on_receive(Outcome outcome);
  void on_finish(Outcome) {}
  void on_ended(Outcome outcome);
  void on_cancel(Outcome outcome);

  Shard &shard_;
  Words words_;
  std::string head_;
  const PeerWays ways_;
  Socket socket_;
  std::unique_ptr<Link> link_;
  std::optional<HeadReader> reader_;
  Message partial_;
  bool ending_asked_ = false;
  Completion connect_;
  Completion handshake_;
  Completion receive_;
  Completion finish_;
  Completion ending_;
  Completion dropping_;
  Completion cancel_; // of the connect
};

} // namespace culvert::test
