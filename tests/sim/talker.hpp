// One end of a session on a raw socket: the app's, or the target's.
//
// Used on the one thread of its world. It owns its socket until closed(), and checks every byte it
// reads and how its stream ends. What the kernel lacks buffers for is tried again; any other error
// is a broken stream. Closing is three steps: cancel, join, close.
#pragma once

#include "session.hpp"

#include "support/sim/sim_world.hpp"

#include <array>
#include <functional>

namespace culvert::simtest {

/// What all talkers of a world share.
struct TalkWorld {
  SimWorld &world;
  Judge &judge;
  std::vector<Session> &sessions;
  bool unix_targets = false; // targets cannot tell an abort from an end
  std::uint64_t checked_bytes = 0;
  std::vector<std::byte> buffer = std::vector<std::byte>(64U * 1024);
};

class Talker {
public:
  /// An app, or, without a session, a target that waits to be told which session it is.
  Talker(TalkWorld &shared, Io &io, Socket socket, Session *app_session);
  Talker(const Talker &) = delete;
  Talker &operator=(const Talker &) = delete;

  void start();
  /// Ends it whatever it is doing.
  void stop();
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const Session *session() const { return session_; }
  std::function<void()> on_closed;

private:
  [[nodiscard]] Flow &in() { return is_app_ ? session_->down : session_->up; }
  [[nodiscard]] Flow &out() { return is_app_ ? session_->up : session_->down; }
  [[nodiscard]] const Manner &manner() const;

  void on_readable(Outcome outcome);
  void on_writable(Outcome outcome);
  void on_joined(Outcome) { go_on(); }
  void on_timer() { go_on(); }
  void receive();
  void heard(std::span<const std::byte> bytes);
  std::span<const std::byte> read_number(std::span<const std::byte> bytes);
  void begin_session();
  void heard_end();
  void broken();
  void retry() { io_.arm_after_ms(retry_, 1); }
  void write();
  [[nodiscard]] std::uint64_t may_write();
  void finish_if_all_written();
  void abort_if_due();
  void go_on();
  void close();
  void join(Completion &target, Completion &with);

  TalkWorld &shared_;
  Io &io_;
  Socket socket_;
  Session *session_;
  const bool is_app_;
  std::array<std::byte, kNumberBytes> number_{};
  std::size_t number_size_ = 0;
  unsigned pauses_ = 0;
  bool blocked_ = false;
  bool stopping_ = false;
  bool aborting_ = false;
  bool ended_ = false; // of reading
  bool send_failed_ = false;
  bool closed_ = false;
  Completion readable_;
  Completion writable_;
  Completion cancel_readable_;
  Completion cancel_writable_;
  Timer retry_;
  Timer pause_;
  Timer silence_;
};

} // namespace culvert::simtest
