// The record of one operation, embedded in the owner of the operation; never allocated, never
// copied.
//
// An owner binds a completion to a member function once and may then use it for one operation at a
// time. While in_flight() the owner must not move, and must neither destroy nor reuse the record
// (asserted). The callback runs on the shard that armed it. It runs once for each operation and
// never inside the call that armed it. A multishot accept runs it once for each new connection;
// `more` says whether others follow. A completion is marked idle before its last callback, so the
// callback may arm it again.
#pragma once

#include "core/assert.hpp"
#include "core/delegate.hpp"

#include <cstdint>

namespace culvert {

/// The result of an operation.
struct Outcome {
  int result = 0;    // >= 0: the operation's value; < 0: the negated errno
  bool more = false; // the operation goes on and will complete again
};

class Completion {
public:
  Completion() = default;
  Completion(const Completion &) = delete;
  Completion &operator=(const Completion &) = delete;
  ~Completion() { CULVERT_ASSERT(!in_flight_); }

  template <auto Method, typename Owner> void bind(Owner &owner) {
    CULVERT_ASSERT(!in_flight_);
    callback_ = Delegate<Outcome>::to<Method>(owner);
  }

  /// From the call that armed it until just before its last callback.
  [[nodiscard]] bool in_flight() const { return in_flight_; }

  /// What a backend stores about the operation in flight.
  struct Note {
    int socket = -1;
    std::uint8_t stage = 0;     // the backend's own state
    bool cancelled = false;     // a cancel was requested
    Completion *next = nullptr; // in a list of the backend
  };

  /// A hint from the owner: its last turn filled the buffer. Up to kShortTurnsPerBulk turns of
  /// short streams run before it.
  bool bulk = false;

private:
  friend class Io;
  friend class Link; // a link's operations complete the same way
  void begin() {
    CULVERT_ASSERT(!in_flight_ && callback_);
    in_flight_ = true;
  }
  void run(Outcome outcome) {
    CULVERT_ASSERT(in_flight_);
    in_flight_ = outcome.more;
    callback_(outcome);
  }

  Delegate<Outcome> callback_;
  bool in_flight_ = false;
  Note note_;
};

} // namespace culvert
