// Why a cell of the fault board is impossible, in one place: the steps in which a role does
// something, and the reason why it does so in no other step.
#include "faults.hpp"

#include <initializer_list>

namespace culvert::simtest {

namespace {

using Steps = std::uint32_t; // a bit for each step

constexpr Steps in(std::initializer_list<Step> steps) {
  Steps bits = 0;
  for (const Step step : steps) {
    bits |= 1U << static_cast<unsigned>(step);
  }
  return bits;
}

constexpr Steps kStream = in({Step::kIdle, Step::kUp, Step::kDown, Step::kHalf, Step::kEnd});

enum Reason : std::uint8_t {
  kNoResult,
  kDialsNobody,
  kAcceptsNobody,
  kVerifiesNothing,
  kNoDial,
  kNoGuest,
  kNoName,
  kNoToken,
  kNoEnd,
  kNoCancel,
  kNoOption,
  kNothingToSay,
  kNothingToHear,
  kNothingToAwait,
  kNeverVain,
  kRawFin,
  kNoConnection,
};

constexpr const char *kReasons[] = {
    "`Io::close()` has no result: Linux frees the descriptor whatever `close()` returns",
    "a relay dials nobody: it opens no socket, looks no name up and asks for no token",
    "a listener accepts no connection",
    "only a relay verifies tokens",
    "the role dials nobody in this step",
    "nobody connects to the role in this step",
    "the role looks no name up in this step",
    "no token is made or verified in this step",
    "the role ends no direction in this step",
    "the role gives up nothing that is armed in this step",
    "the role sets no option and asks for no address in this step: no socket of it is new or ends",
    "the role has nothing to send in this step",
    "nothing arrives at the role in this step",
    "the role waits for nothing new in this step",
    "a poll for the other side's end cannot fire in vain: it tells a fact that no call can check",
    "the only connection is the app's TCP, and nobody can tell such a FIN from the app's own",
    "the role has no connection in this step",
};

struct Row {
  Operation operation;
  Part part;
  Steps happens;
  Reason otherwise;
};

constexpr Steps kListenerDials = in({Step::kRegister, Step::kTarget, Step::kFetch});
constexpr Steps kRelayAccepts = in({Step::kRegister, Step::kDial, Step::kProxy, Step::kFetch});

constexpr Row kRows[] = {
    {Operation::kOpen, Part::kSender, in({Step::kDial}), kNoDial},
    {Operation::kOpen, Part::kRelay, 0, kDialsNobody},
    {Operation::kOpen, Part::kListener, kListenerDials, kNoDial},
    {Operation::kAccept, Part::kSender, in({Step::kApp}), kNoGuest},
    {Operation::kAccept, Part::kRelay, kRelayAccepts, kNoGuest},
    {Operation::kAccept, Part::kListener, 0, kAcceptsNobody},
    {Operation::kConnect, Part::kSender, in({Step::kDial}), kNoDial},
    {Operation::kConnect, Part::kRelay, 0, kDialsNobody},
    {Operation::kConnect, Part::kListener, kListenerDials, kNoDial},
    {Operation::kPoll, Part::kSender,
     kStream | in({Step::kApp, Step::kProxy, Step::kTls, Step::kUpgrade, Step::kFetch}),
     kNothingToAwait},
    {Operation::kPoll, Part::kRelay,
     kStream | kRelayAccepts | in({Step::kTls, Step::kOffer, Step::kStop}), kNothingToAwait},
    {Operation::kPoll, Part::kListener, kStream | kListenerDials | in({Step::kStop}),
     kNothingToAwait},
    {Operation::kReceive, Part::kSender, kStream | in({Step::kProxy, Step::kTls, Step::kFetch}),
     kNothingToHear},
    {Operation::kReceive, Part::kRelay,
     kStream | in({Step::kRegister, Step::kTls, Step::kUpgrade, Step::kFetch, Step::kStop}),
     kNothingToHear},
    {Operation::kReceive, Part::kListener,
     kStream | in({Step::kRegister, Step::kOffer, Step::kFetch, Step::kStop}), kNothingToHear},
    {Operation::kSend, Part::kSender,
     kStream | in({Step::kProxy, Step::kTls, Step::kUpgrade, Step::kFetch}), kNothingToSay},
    {Operation::kSend, Part::kRelay,
     kStream | in({Step::kRegister, Step::kTls, Step::kOffer, Step::kFetch, Step::kStop}),
     kNothingToSay},
    {Operation::kSend, Part::kListener, kStream | in({Step::kRegister, Step::kFetch, Step::kStop}),
     kNothingToSay},
    {Operation::kShutdown, Part::kSender, in({Step::kHalf, Step::kEnd}), kNoEnd},
    {Operation::kShutdown, Part::kRelay, in({Step::kEnd, Step::kStop}), kNoEnd},
    {Operation::kShutdown, Part::kListener, in({Step::kHalf, Step::kEnd, Step::kStop}), kNoEnd},
    {Operation::kOption, Part::kSender,
     in({Step::kRegister, Step::kDial, Step::kFetch, Step::kEnd}), kNoOption},
    {Operation::kOption, Part::kRelay, kRelayAccepts, kNoOption},
    {Operation::kOption, Part::kListener, kListenerDials | in({Step::kEnd}), kNoOption},
    {Operation::kLocalAddress, Part::kSender, in({Step::kDial, Step::kFetch}), kNoOption},
    {Operation::kLocalAddress, Part::kRelay, kRelayAccepts, kNoOption},
    {Operation::kLocalAddress, Part::kListener, kListenerDials, kNoOption},
    {Operation::kPeerAddress, Part::kSender, in({Step::kApp, Step::kFetch}), kNoOption},
    {Operation::kPeerAddress, Part::kRelay, kRelayAccepts | in({Step::kUpgrade}), kNoOption},
    {Operation::kPeerAddress, Part::kListener, in({Step::kFetch}), kNoOption},
    {Operation::kCancel, Part::kSender, in({Step::kFetch, Step::kEnd, Step::kStop}), kNoCancel},
    {Operation::kCancel, Part::kRelay, in({Step::kFetch, Step::kEnd, Step::kStop}), kNoCancel},
    {Operation::kCancel, Part::kListener, in({Step::kEnd}), kNoCancel},
    {Operation::kClose, Part::kSender, 0, kNoResult},
    {Operation::kClose, Part::kRelay, 0, kNoResult},
    {Operation::kClose, Part::kListener, 0, kNoResult},
    {Operation::kName, Part::kSender, in({Step::kName}), kNoName},
    {Operation::kName, Part::kRelay, 0, kDialsNobody},
    {Operation::kName, Part::kListener, kListenerDials, kNoName},
    {Operation::kToken, Part::kSender, in({Step::kName}), kNoToken},
    {Operation::kToken, Part::kRelay, 0, kDialsNobody},
    {Operation::kToken, Part::kListener, in({Step::kRegister}), kNoToken},
    {Operation::kVerify, Part::kSender, 0, kVerifiesNothing},
    {Operation::kVerify, Part::kRelay, in({Step::kRegister, Step::kUpgrade}), kNoToken},
    {Operation::kVerify, Part::kListener, 0, kVerifiesNothing},
};

/// The steps in which a role has no connection at all.
constexpr Steps unconnected(Part part) {
  return part == Part::kSender ? in({Step::kRegister, Step::kStop}) : 0;
}

bool has(Steps steps, Step step) {
  return (steps >> static_cast<unsigned>(step) & 1U) != 0;
}

} // namespace

std::span<const char *const> reasons() {
  return kReasons;
}

int reason_against(const Fault &fault, Part part, Step step) {
  if (fault.operation == Operation::kAny) {
    const bool raw = part == Part::kSender && has(in({Step::kApp, Step::kName}), step);
    return has(unconnected(part), step)                    ? kNoConnection
           : raw && fault.damage == Fault::Damage::kFinish ? kRawFin
                                                           : -1;
  }
  const bool vain = fault.strike.kind == SimStrike::Kind::kVain;
  if (vain && ((part == Part::kSender && step == Step::kApp) ||
               (part == Part::kRelay && step == Step::kOffer))) {
    return kNeverVain;
  }
  for (const Row &row : kRows) {
    if (row.operation == fault.operation && row.part == part) {
      return has(row.happens, step) ? -1 : row.otherwise;
    }
  }
  return -1;
}

} // namespace culvert::simtest
