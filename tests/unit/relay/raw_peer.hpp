// A client that sends bytes as given, says nothing more, and keeps what it hears.
#pragma once

#include "io/shard.hpp"
#include "link/link.hpp"

#include <memory>
#include <string>

namespace culvert::test {

class RawPeer {
public:
  /// `finishes`: its sending direction ends behind the bytes.
  RawPeer(Shard &shard, const Address &relay, std::string bytes, bool finishes = false);
  ~RawPeer();
  RawPeer(const RawPeer &) = delete;
  RawPeer &operator=(const RawPeer &) = delete;

  void send(std::string bytes);
  [[nodiscard]] std::size_t held() const { return link_->held(); }
  /// Breaks its connection.
  void drop();

  bool reading = true; // false before it has connected: it notices nothing, not even an end
  bool stays = false;  // at the other side's end: it goes on sending
  std::string heard;
  bool ended = false;   // the other side has ended
  bool aborted = false; // by breaking the connection

private:
  void on_connect(Outcome outcome);
  void on_receive(Outcome outcome);
  void on_finish(Outcome) {}
  void on_closed(Outcome) {}

  Shard &shard_;
  std::string bytes_;
  const bool finishes_;
  bool dropped_ = false;
  Socket socket_;
  std::unique_ptr<Link> link_;
  Completion connect_;
  Completion receive_;
  Completion finish_;
  Completion closed_;
};

} // namespace culvert::test
