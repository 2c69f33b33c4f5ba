// One simulated socket: plain data, changed by SimKernel alone.
//
// The kernel owns it. After the user's close() it may live on, `open` being false, until its peer
// has everything that was sent, as a real kernel's sockets do.
#pragma once

#include "io/address.hpp"
#include "support/sim/sim_bytes.hpp"
#include "support/sim/sim_faults.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace culvert {

inline constexpr std::size_t kSimBufferBytes = 256U * 1024;
/// What the smallest buffer that can be set still holds.
inline constexpr std::size_t kSimSmallestBufferBytes = 2048;

struct SimSocket {
  enum class State : std::uint8_t { kFresh, kConnecting, kConnected, kListening, kBroken };

  [[nodiscard]] bool is_unix() const { return local.family == Address::Family::kUnix; }
  [[nodiscard]] std::size_t send_room() const {
    return send_capacity - std::min(send_capacity, outgoing.size());
  }
  [[nodiscard]] std::size_t receive_room() const {
    return receive_capacity - std::min(receive_capacity, incoming.size());
  }
  /// Somebody has it or can still get it; else the kernel alone keeps it until all is sent.
  [[nodiscard]] bool held() const { return open || unaccepted; }
  [[nodiscard]] bool takes_bytes() const { return held() && state == State::kConnected; }
  [[nodiscard]] bool end_under_way() const { return end_queued && !end_delivered; }
  /// Something was sent that the peer's kernel does not have.
  [[nodiscard]] bool outstanding() const { return !outgoing.empty() || end_under_way(); }

  int id = -1;
  int host = 0;
  int peer = -1; // the other end's id; its socket may be gone
  int peer_host = 0;
  State state = State::kFresh;
  bool open = true;        // the user has it; false in a backlog and after close()
  bool unaccepted = false; // in a backlog
  Address local;
  Address peer_address;

  SimBytes outgoing; // sent, not yet in the peer's receive buffer
  SimBytes incoming;
  std::size_t send_capacity = kSimBufferBytes;
  std::size_t receive_capacity = kSimBufferBytes;
  bool end_queued = false;    // FIN stands behind outgoing
  bool end_delivered = false; // the peer has it
  bool end_received = false;  // the peer's FIN is behind incoming
  int pending_error = 0;      // told once, to whichever call comes first, as Linux does

  bool linger_zero = false;
  bool orphan = false; // its process is dead: what that sets is not heard any more
  int keep_alive_sec = 0;
  bool delivering = false; // a delivery event is under way
  bool lost = false;       // half-open: whatever is sent to or from here is lost
  std::uint64_t clogged_until_ns = 0;
  bool watched = false; // a kGiveUp event is under way
  bool watched_for_bytes = false;
  std::uint64_t silent_from_ns = 0; // 0: it was not silent when last asked
  std::uint64_t watch = 0;

  std::deque<int> backlog;               // of a listening socket
  std::vector<std::uint64_t> operations; // in flight, in the order of their arming
  SimPhase label = SimPhase::kSetUp;
  std::uint64_t carried = 0; // bytes delivered either way
};

} // namespace culvert
