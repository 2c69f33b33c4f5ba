// One end of a random test stream: moves bytes the way the engine's turns do, under any fault.
//
// It owns its socket until closed(). What the kernel lacks buffers for is tried again after a
// millisecond; any other error breaks the stream. Closing is three steps: cancel, join, close.
#pragma once

#include "support/sim/sim_world.hpp"
#include "unit/sim/sim_tools.hpp"

#include <algorithm>
#include <string>

namespace culvert::test {

class Party {
public:
  Party(Io &io, Socket socket) : io_(io), socket_(socket) {
    readable_.bind<&Party::on_readable>(*this);
    writable_.bind<&Party::on_writable>(*this);
    cancel_readable_.bind<&Party::on_cancelled>(*this);
    cancel_writable_.bind<&Party::on_cancelled>(*this);
    retry_.bind<&Party::on_retry>(*this);
  }
  Party(const Party &) = delete;
  Party &operator=(const Party &) = delete;
  virtual ~Party() = default;

  void start() {
    on_start();
    go_on();
  }
  /// Ends it whatever it is doing.
  void stop() {
    stopping_ = true;
    go_on();
  }
  [[nodiscard]] bool closed() const { return closed_; }
  /// The errno that broke the stream, or 0.
  [[nodiscard]] int broken() const { return broken_; }
  [[nodiscard]] bool end_seen() const { return end_seen_; }
  [[nodiscard]] Socket socket() const { return socket_; }

protected:
  virtual void on_start() {}
  virtual void on_bytes(std::string_view bytes) = 0;
  /// More to send, after everything given so far was taken; "" when there is none now.
  virtual std::string more() = 0;
  /// Everything this end will ever send has been given out by more().
  [[nodiscard]] virtual bool all_sent() const = 0;
  [[nodiscard]] virtual bool wants_bytes() const { return true; }

private:
  static bool lacking(int result) { return result == -ENOBUFS || result == -ENOMEM; }

  void on_readable(Outcome outcome) {
    if (lacking(outcome.result)) {
      retry();
      return;
    }
    if (outcome.result >= 0 && !stopping_) {
      receive();
    }
    go_on();
  }
  void receive() {
    std::string bytes;
    const int got = receive_text(io_, socket_, bytes, 40'000);
    if (got > 0) {
      on_bytes(bytes);
    } else if (got == 0) {
      end_seen_ = true;
    } else if (lacking(got)) {
      retry();
    } else if (got != -EAGAIN) {
      fail(got);
    }
  }
  void on_writable(Outcome outcome) {
    blocked_ = false;
    if (lacking(outcome.result)) {
      retry();
      return;
    }
    go_on();
  }
  void on_cancelled(Outcome) { go_on(); }
  void on_retry() { go_on(); }
  void retry() { io_.arm_after_ms(retry_, 1); }
  void fail(int result) {
    broken_ = broken_ == 0 ? -result : broken_;
    stopping_ = true;
  }

  void send() {
    while (!blocked_ && !stopping_ && !finished_ && !retry_.armed()) {
      if (held_.empty()) {
        held_ = more();
      }
      if (held_.empty()) {
        finish_when_all_sent();
        return;
      }
      const int sent = send_text(io_, socket_, held_);
      if (sent > 0) {
        held_.erase(0, static_cast<std::size_t>(sent));
      } else if (sent == -EAGAIN) {
        blocked_ = true;
      } else if (lacking(sent)) {
        retry();
      } else {
        fail(sent);
      }
    }
  }
  void finish_when_all_sent() {
    if (all_sent()) {
      finished_ = true;
      if (const int result = io_.shutdown_send(socket_); result < 0) {
        fail(result);
      }
    }
  }

  void go_on() {
    if (closed_) {
      return;
    }
    send();
    if (stopping_ || (end_seen_ && finished_)) {
      close();
      return;
    }
    if (retry_.armed()) {
      return;
    }
    if (!end_seen_ && wants_bytes() && !readable_.in_flight()) {
      io_.poll(socket_, Interest::kReadable, readable_);
    }
    if (blocked_ && !writable_.in_flight()) {
      io_.poll(socket_, Interest::kWritable, writable_);
    }
  }
  void close() {
    stopping_ = true;
    retry_.disarm();
    cancel(readable_, cancel_readable_);
    cancel(writable_, cancel_writable_);
    if (!readable_.in_flight() && !writable_.in_flight() && !cancel_readable_.in_flight() &&
        !cancel_writable_.in_flight()) {
      closed_ = true;
      io_.close(socket_);
    }
  }
  void cancel(Completion &target, Completion &with) {
    if (target.in_flight() && !with.in_flight()) {
      io_.cancel(target, with);
    }
  }

  Io &io_;
  Socket socket_;
  Completion readable_;
  Completion writable_;
  Completion cancel_readable_;
  Completion cancel_writable_;
  Timer retry_;
  std::string held_;
  bool blocked_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  bool end_seen_ = false;
  bool closed_ = false;
  int broken_ = 0;
};

/// Sends back what it receives, holding at most 64 KiB.
class Echo final : public Party {
public:
  using Party::Party;

private:
  void on_bytes(std::string_view bytes) override { held_ += bytes; }
  std::string more() override { return std::exchange(held_, {}); }
  [[nodiscard]] bool all_sent() const override { return held_.empty() && end_seen(); }
  [[nodiscard]] bool wants_bytes() const override { return held_.size() < 64U * 1024; }
  std::string held_;
};

/// Sends coded bytes, and checks each one that comes back.
class Asker final : public Party {
public:
  Asker(Io &io, Socket socket, std::size_t total) : Party(io, socket), total_(total) {}
  [[nodiscard]] bool wrong() const { return wrong_; }
  [[nodiscard]] std::size_t checked() const { return checked_; }
  /// Everything came back, and then the end.
  [[nodiscard]] bool whole() const { return end_seen() && checked_ == total_ && !wrong_; }

private:
  void on_bytes(std::string_view bytes) override {
    wrong_ = wrong_ || checked_ + bytes.size() > total_ || bytes != coded(bytes.size(), checked_);
    checked_ += bytes.size();
  }
  std::string more() override {
    const std::size_t size = std::min<std::size_t>(total_ - given_, 16'000);
    std::string bytes = coded(size, given_);
    given_ += size;
    return bytes;
  }
  [[nodiscard]] bool all_sent() const override { return given_ == total_; }

  std::size_t total_;
  std::size_t given_ = 0;
  std::size_t checked_ = 0;
  bool wrong_ = false;
};

} // namespace culvert::test
