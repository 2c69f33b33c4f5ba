// The rows and the columns of the fault board: which faults there are, and in which steps of a
// tunnel's life they strike which role.
//
// Constant tables; any thread.
#pragma once

#include "support/sim/sim_call.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace culvert::simtest {

enum class Part : std::uint8_t { kSender, kRelay, kListener };
inline constexpr std::size_t kParts = 3;

/// The steps follow each other: at every moment the world is in one of them.
enum class Step : std::uint8_t {
  kRegister, // the listener's control channel, from its name to its registration
  kApp,      // the app connects
  kName,     // the sender's way to the relay: token and name
  kDial,
  kProxy, // the HTTP proxy is asked
  kTls,
  kUpgrade, // until the relay has made an offer
  kOffer,   // until the listener has read it
  kTarget,  // the listener's name and dial of the target
  kFetch,   // the listener's way to the relay, until all roles have joined
  kIdle,    // joined; only pings
  kUp,      // bytes flow from the app to the target
  kDown,    // bytes flow from the target to the app
  kHalf,    // one direction has ended
  kEnd,     // both have, until all is closed
  kStop     // the roles drain, without a tunnel
};
inline constexpr std::size_t kSteps = 16;

std::string_view word(Part part);
std::string_view word(Step step);

/// What a role asks for: of the kernel, or of a plugin.
enum class Operation : std::uint8_t {
  kOpen,
  kAccept,
  kConnect,
  kPoll,
  kCancel,
  kReceive,
  kSend,
  kShutdown,
  kOption,
  kLocalAddress,
  kPeerAddress,
  kClose,
  kName,
  kToken,
  kVerify,
  kAny // every call on a connected socket: for what happens to a connection
};
std::string_view word(Operation operation);

struct Fault {
  /// What happens to the connection at the moment of the call.
  enum class Damage : std::uint8_t { kNone, kReset, kFinish, kLose, kTimeOut, kStall };
  /// What a plugin answers.
  enum class Answer : std::uint8_t { kTrue, kNever, kFails, kSilence, kBadToken };

  Operation operation = Operation::kAny;
  const char *name = "";
  SimStrike strike = {};
  Damage damage = Damage::kNone;
  Answer answer = Answer::kTrue;
  bool harmless = false; // the tunnel must be whole all the same
};

std::span<const Fault> faults();
/// "receive ECONNRESET".
std::string name_of(const Fault &fault);

/// Why this fault cannot strike this role in this step: an index of reasons(), or -1 if it can.
int reason_against(const Fault &fault, Part part, Step step);
std::span<const char *const> reasons();

} // namespace culvert::simtest
