// What can happen to a simulated world beside its faults, and what each kind leaves as it is.
//
// Plain data. An event begins, lasts for a time, and ends; some only begin. WorldRun acts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace culvert::simtest {

enum class EventKind : std::uint8_t {
  kKillByReset,        // the relay dies, and starts again at the end
  kKillByFin,          // the same, but its connections end with FIN
  kCut,                // a listener's path to the relay or proxy is a black hole
  kLose,               // its connections there are half-open from now on; new ones work
  kReloadRules,        // the relay has one more rule and entity
  kRemoveEntity,       // the relay does not have the tunnels' entity
  kReplaceCertificate, // the relay shows another one, of another authority; in worlds with TLS
  kReloadClients,      // listeners and senders read their configuration again
  kRotateAtClients,    // a rule's clients have the next key too; at the end the relay has it alone
  kRotateAtRelay,      // the relay has the next key too, clients alone; at the end the relay, too
  kRemoveRule,         // of a listener: its token cannot be renewed
  kEndToken,           // a listener has a ready token, which ends
  kStopListener,       // one leaves, and another comes
  kJumpClock,          // the wall clock of all
  kMoveRelay,          // it dies and starts on another host; then its name leads there
  kNameFails,          // the relay restarts; its name has no address
  kNameSilent,         // the same, but no name server answers
  kNameDead,           // the same, but the address answers nothing
  kNameDeadFirst,      // the same, but the second address is right
  kProxyRefuses,       // the proxy breaks what it carries, and refuses
  kProxySilent,        // the same, but it does not answer
  kProxyCuts,          // the same, but it serves what comes at once
};
inline constexpr std::size_t kEventKinds = 22;

struct EventTraits {
  EventKind kind;
  std::string_view word;
  std::uint64_t wanted; // in a thousand seeds
  bool spares_tunnels;  // those that are open go on, if it does not drop_tunnels
  bool spares_channels; // no listener has to register anew
  bool works_meanwhile; // new tunnels work while it lasts
};

const EventTraits &traits(EventKind kind);

struct Event {
  EventKind kind = EventKind::kKillByReset;
  std::uint64_t wait_ms = 0; // behind the event before it, in the storm
  std::uint64_t duration_ms = 0;
  unsigned listener = 0;      // whom it strikes
  unsigned rule = 0;          // whose key changes
  std::int64_t jump_s = 0;    // of kJumpClock
  bool drops_tunnels = false; // kRemoveEntity: it lasts longer than their grace
  // Behind the storm; each is the first of apps in the plan, one for each sender:
  std::optional<std::size_t> companions; // their tunnels are open all the time
  std::optional<std::size_t> meanwhile;  // while it lasts
  std::size_t fresh = 0;                 // behind it
};

} // namespace culvert::simtest
