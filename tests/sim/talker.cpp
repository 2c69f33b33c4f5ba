#include "talker.hpp"

#include "payload.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert::simtest {

namespace {

constexpr int kTalkerKeepAliveSec = 60;
constexpr std::uint64_t kFirstBytes = 100; // before a silence
const Manner kUnknown;                     // of a target that has not heard its number

bool lacking(int result) {
  return result == -ENOBUFS || result == -ENOMEM;
}

} // namespace

Talker::Talker(TalkWorld &shared, Io &io, Socket socket, Session *app_session)
    : shared_(shared), io_(io), socket_(socket), session_(app_session),
      is_app_(app_session != nullptr) {
  readable_.bind<&Talker::on_readable>(*this);
  writable_.bind<&Talker::on_writable>(*this);
  cancel_readable_.bind<&Talker::on_joined>(*this);
  cancel_writable_.bind<&Talker::on_joined>(*this);
  retry_.bind<&Talker::on_timer>(*this);
  pause_.bind<&Talker::on_timer>(*this);
  silence_.bind<&Talker::on_timer>(*this);
}

const Manner &Talker::manner() const {
  if (session_ == nullptr) {
    return kUnknown;
  }
  return is_app_ ? session_->app : session_->target;
}

void Talker::start() {
  io_.set_option(socket_, SocketOption::kKeepAliveSec, kTalkerKeepAliveSec);
  if (manner().receive_buffer > 0) {
    io_.set_option(socket_, SocketOption::kReceiveBuffer, manner().receive_buffer);
  }
  if (manner().silence_ms > 0) {
    io_.arm_after_ms(silence_, manner().silence_ms);
  }
  go_on();
}

void Talker::stop() {
  stopping_ = true;
  go_on();
}

// --- reading ------------------------------------------------------------------------------------

void Talker::on_readable(Outcome outcome) {
  if (lacking(outcome.result)) {
    retry();
    return;
  }
  if (outcome.result >= 0 && !stopping_) {
    receive();
  }
  go_on();
}

void Talker::receive() {
  const std::size_t most = std::min(manner().read_bytes, shared_.buffer.size());
  const int got = io_.receive(socket_, std::span(shared_.buffer).first(most));
  if (got > 0) {
    heard(std::span(shared_.buffer).first(static_cast<std::size_t>(got)));
  } else if (got == 0) {
    heard_end();
  } else if (lacking(got)) {
    retry();
  } else if (got != -EAGAIN) {
    broken();
  }
}

std::span<const std::byte> Talker::read_number(std::span<const std::byte> bytes) {
  const std::size_t count = std::min(bytes.size(), kNumberBytes - number_size_);
  std::copy_n(bytes.begin(), count, number_.begin() + static_cast<std::ptrdiff_t>(number_size_));
  number_size_ += count;
  if (number_size_ == kNumberBytes) {
    begin_session();
  }
  return bytes.subspan(count);
}

void Talker::begin_session() {
  std::uint64_t number = 0;
  std::memcpy(&number, number_.data(), kNumberBytes);
  if (number >= shared_.sessions.size() || shared_.sessions[number].joined) {
    shared_.judge.fail("a target is told of session " + std::to_string(number) +
                       ", which does not exist or was joined before");
    stopping_ = true;
    return;
  }
  session_ = &shared_.sessions[number];
  session_->joined = true;
  session_->up.read = kNumberBytes;
  shared_.world.label(socket_, SimPhase::kStream);
  if (session_->app_socket.valid()) {
    shared_.world.label(session_->app_socket, SimPhase::kStream);
  }
}

void Talker::heard(std::span<const std::byte> bytes) {
  if (session_ == nullptr) {
    bytes = read_number(bytes);
    if (session_ == nullptr) {
      return;
    }
  }
  Flow &flow = in();
  if (!is_coded(flow.key, flow.read, bytes) || flow.read + bytes.size() > flow.written) {
    shared_.judge.fail("session " + std::to_string(session_->number) + ": a wrong byte for the " +
                       (is_app_ ? "app" : "target") + " behind byte " + std::to_string(flow.read));
    stopping_ = true;
  }
  flow.read += bytes.size();
  shared_.checked_bytes += bytes.size();
  if (pauses_ < manner().pauses) {
    ++pauses_;
    io_.arm_after_ms(pause_, manner().pause_ms);
  }
}

void Talker::heard_end() {
  if (send_failed_) { // which took the socket's error: this end only looks clean
    broken();
    return;
  }
  const bool whole = session_ != nullptr && in().finished && in().read == in().written;
  if (!is_app_ && shared_.unix_targets && !whole) {
    broken();
    return;
  }
  ended_ = true;
  if (session_ == nullptr) {
    shared_.judge.fail("a target reads a clean end before it knows who speaks");
    stopping_ = true;
    return;
  }
  Flow &flow = in();
  flow.end = Flow::End::kClean;
  if (!flow.finished || flow.read != flow.written) {
    shared_.judge.fail("session " + std::to_string(session_->number) + ": the " +
                       (is_app_ ? "app" : "target") + " reads a clean end after " +
                       std::to_string(flow.read) + " bytes of " + std::to_string(flow.written) +
                       (flow.finished ? "" : ", and the writer has not finished"));
  }
}

void Talker::broken() {
  ended_ = stopping_ = true;
  if (session_ != nullptr && in().end == Flow::End::kNone) {
    in().end = Flow::End::kBroken;
  }
}

// --- writing ------------------------------------------------------------------------------------

void Talker::on_writable(Outcome outcome) {
  blocked_ = false;
  if (lacking(outcome.result)) {
    retry();
    return;
  }
  go_on();
}

std::uint64_t Talker::may_write() {
  const std::uint64_t all = manner().echo ? in().read : out().planned;
  const std::uint64_t until = silence_.armed() ? std::min(all, kFirstBytes) : all;
  return until - std::min(until, out().written);
}

void Talker::write() {
  if (session_ == nullptr) {
    return;
  }
  Flow &flow = out();
  while (!blocked_ && !stopping_ && !flow.finished && !send_failed_ && !retry_.armed()) {
    const std::size_t size = std::min<std::uint64_t>(may_write(), shared_.buffer.size());
    if (size == 0) {
      finish_if_all_written();
      return;
    }
    const std::span<std::byte> bytes = std::span(shared_.buffer).first(size);
    write_coded(flow.key, flow.written, bytes);
    if (is_app_ && flow.written < kNumberBytes) {
      const auto *number = reinterpret_cast<const std::byte *>(&session_->number);
      const std::size_t count = std::min<std::size_t>(kNumberBytes - flow.written, size);
      std::copy_n(number + flow.written, count, bytes.begin());
    }
    const std::span<const std::byte> part = bytes;
    const int sent = io_.send(socket_, std::span(&part, 1));
    if (sent >= 0) {
      flow.written += static_cast<std::uint64_t>(sent);
      abort_if_due();
    } else if (sent == -EAGAIN) {
      blocked_ = true;
    } else if (lacking(sent)) {
      retry();
    } else {
      send_failed_ = true; // what had arrived can still be read
    }
  }
}

void Talker::finish_if_all_written() {
  const bool other_ended = in().end == Flow::End::kClean;
  if (silence_.armed() || ((manner().echo || manner().after_peer) && !other_ended)) {
    return;
  }
  if (io_.shutdown_send(socket_) < 0) {
    send_failed_ = true;
    return;
  }
  out().finished = true;
  if (manner().echo) {
    out().planned = out().written;
  }
}

/// An app or target that dies: its end is a reset, whatever it had still meant to say.
void Talker::abort_if_due() {
  if (session_ == nullptr || stopping_) {
    return;
  }
  const Manner &how = manner();
  if ((how.abort_after_written && out().written >= *how.abort_after_written) ||
      (how.abort_after_read && in().read >= *how.abort_after_read)) {
    stopping_ = aborting_ = true;
  }
}

// --- the loop -----------------------------------------------------------------------------------

void Talker::go_on() {
  if (closed_) {
    return;
  }
  abort_if_due();
  write();
  const bool said_all = send_failed_ || (session_ != nullptr && out().finished);
  if (stopping_ || (ended_ && said_all)) {
    close();
    return;
  }
  if (retry_.armed()) {
    return;
  }
  if (!ended_ && !pause_.armed() && !readable_.in_flight()) {
    io_.poll(socket_, Interest::kReadable, readable_);
  }
  if (blocked_ && !writable_.in_flight()) {
    io_.poll(socket_, Interest::kWritable, writable_);
  }
}

void Talker::close() {
  stopping_ = true;
  pause_.disarm();
  silence_.disarm();
  join(readable_, cancel_readable_);
  join(writable_, cancel_writable_);
  if (readable_.in_flight() || writable_.in_flight() || cancel_readable_.in_flight() ||
      cancel_writable_.in_flight()) {
    return;
  }
  if (aborting_ && io_.unsent_bytes(socket_) > 0) { // a reset would take those back
    retry();
    return;
  }
  closed_ = true;
  if (aborting_) {
    out().cut_off = !send_failed_;
    io_.set_option(socket_, SocketOption::kLingerZero, 1);
  }
  io_.close(socket_);
  if (session_ != nullptr) {
    (is_app_ ? session_->app_over : session_->target_over) = true;
    if (is_app_) {
      session_->app_socket = {};
    }
  }
  if (on_closed) {
    on_closed();
  }
}

void Talker::join(Completion &target, Completion &with) {
  if (target.in_flight() && !with.in_flight()) {
    io_.cancel(target, with);
  }
}

} // namespace culvert::simtest
