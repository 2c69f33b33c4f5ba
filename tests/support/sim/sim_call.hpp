// One fault at one call: what a test may answer to a call in place of the simulated kernel.
//
// Plain values, used on the one thread that drives the world. SimWorld::on_call() takes the
// function that is asked. Its answer depends on nothing but the run, so a run without faults
// numbers the calls, and a second run of the same seed is struck at one of these numbers.
#pragma once

#include "io/io.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace culvert {

struct SimSocket;

struct SimCall {
  enum class Kind : std::uint8_t {
    kOpen,
    kAccept, // of one connection, when it is handed out
    kConnect,
    kPoll,
    kCancel, // of an operation that has not ended
    kReceive,
    kSend,
    kShutdown,
    kOption,
    kLocalAddress,
    kPeerAddress
  };
  Kind kind = Kind::kOpen;
  int host = 0;                      // who calls, see SimIo::host()
  const SimSocket *socket = nullptr; // of a cancel: of its target; nullptr: of an open
  std::size_t bytes = 0;             // to send, or there to be received
  bool ready = false;                // of a poll: it fires at once
};

/// What happens to the call.
struct SimStrike {
  enum class Kind : std::uint8_t {
    kNone,       // what the kernel says
    kError,      // it fails with `error`, and the socket is as before; but an accepted connection
                 // is gone with ECONNABORTED and EPERM
    kOne,        // one byte is received or sent
    kHalf,       // half of the bytes
    kAllButOne,  // all bytes but one
    kNever,      // of a connect: no answer comes
    kLast,       // of an accept: it succeeds, and must be armed again
    kVain,       // of a poll: it fires although nothing is ready
    kTooLate,    // of a cancel: its target ends with an outcome of its own
    kCancelLate, // the cancel's own outcome comes kSimLongestDelayNs late
    kTargetLate  // its target's outcome does
  };
  Kind kind = Kind::kNone;
  int error = 0;
};

using SimCallAnswer = std::function<SimStrike(const SimCall &)>;

} // namespace culvert
