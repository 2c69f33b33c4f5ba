// One stream pair between an app and a target: what each end is to do, and what both know of it.
//
// Plain data, on the one thread of its world. The world owns it; both ends refer to it.
#pragma once

#include "io/io.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace culvert::simtest {

/// An app's first bytes: the number of its session.
inline constexpr std::size_t kNumberBytes = 8;
/// More than every deadline of a tunnel that is open: nobody has to say anything there.
inline constexpr std::uint64_t kLongestSilenceMs = 20 * 60'000;

/// One direction, as its writer and its reader know it.
struct Flow {
  enum class End : std::uint8_t { kNone, kClean, kBroken };

  std::uint64_t key = 0;
  std::uint64_t planned = 0;
  // Its writer's:
  std::uint64_t written = 0; // taken by the kernel
  bool finished = false;     // and then ended, cleanly
  bool cut_off = false;      // its writer died once the other end's kernel had all of it
  // Its reader's:
  std::uint64_t read = 0;
  End end = End::kNone;

  /// Bytes that arrived before a reset are the reader's, however slow it is.
  [[nodiscard]] bool complete_where_cut_off() const { return !cut_off || read == written; }
  /// Everything planned arrived, and then a clean end.
  [[nodiscard]] bool whole() const {
    return end == End::kClean && read == written && written == planned;
  }
};

/// How one end behaves.
struct Manner {
  bool echo = false;       // writes as many bytes as it has read, and ends behind the other's end
  bool after_peer = false; // ends only behind the other's end
  std::optional<std::uint64_t> abort_after_written;
  std::optional<std::uint64_t> abort_after_read;
  std::size_t read_bytes = 64U * 1024; // at once
  unsigned pauses = 0;                 // the first reads wait
  std::uint32_t pause_ms = 0;
  int receive_buffer = 0;       // 0: the kernel's own
  std::uint32_t silence_ms = 0; // an app's, behind the first bytes

  [[nodiscard]] bool aborts() const { return abort_after_written || abort_after_read; }
};

struct Session {
  std::uint64_t number = 0;
  Flow up;   // app to target
  Flow down; // target to app
  Manner app;
  Manner target;
  bool is_doomed = false;   // an event will drop its tunnel
  std::uint32_t gap_ms = 0; // before its connect
  Socket app_socket;        // while it is open
  bool connected = false;   // to the sender
  bool joined = false;      // the target knows who it is
  bool app_over = false;
  bool target_over = false;

  /// Nothing of it goes on any more.
  [[nodiscard]] bool over() const { return app_over && (!joined || target_over); }
  [[nodiscard]] bool whole() const { return joined && up.whole() && down.whole(); }
  [[nodiscard]] bool wants_to_be_whole() const { return !app.aborts() && !target.aborts(); }
};

/// Collects what must not be.
class Judge {
public:
  void fail(std::string what) { failures_.push_back(std::move(what)); }
  [[nodiscard]] const std::vector<std::string> &failures() const { return failures_; }

private:
  std::vector<std::string> failures_;
};

} // namespace culvert::simtest
