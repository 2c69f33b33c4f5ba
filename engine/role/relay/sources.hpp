// What a relay knows about the sources of its connections: the places ("seats") of their
// unauthenticated connections, which sources have a registered listener or an open tunnel, and
// which are refused repeatedly. One source must not take all seats. Its refused connections must
// not fill the log, and may cost the tunnels of others only a small share of a core.
//
// Behind one mutex, for any thread; touched in set-up and tear-down only, never on the byte path. A
// source is remembered while it has a connection here, and for RelayLimits::refusal_memory_ms after
// its last refusal.
#pragma once

#include "culvert/limits.hpp"
#include "culvert/status.hpp"
#include "io/address.hpp"
#include "role/failure_count.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace culvert {

/// The source that a peer counts for: its IPv4 address (IPv6 may carry it as ::ffff:a.b.c.d), or
/// the /64 of its IPv6 address, because a host chooses the lower half itself (RFC 4291, section
/// 2.5.4). Empty for a unix socket, which is not counted.
std::string source_of(const Address &peer);
/// The network around it: the /24 of an IPv4 address, the /48 of an IPv6 one, which is what one
/// site has (RFC 6177); empty for a unix socket.
std::string network_of(const Address &peer);

struct Origin {
  std::string source;
  std::string network;
};

/// The place of an unauthenticated connection. A source is known if it has a registered listener or
/// an open tunnel. Its connections are limited only by the share of their source, and do not
/// compete with strangers.
enum class Seat : std::uint8_t { kNone, kStranger, kKnown };

class Sources {
public:
  enum class Answer : std::uint8_t {
    kTaken,
    kSourceFull,
    kNetworkFull,
    kFull,
    kRefusedTooOften // RelayLimits::refusals_per_second_per_source
  };
  struct Admission {
    Answer answer = Answer::kTaken;
    Seat seat = Seat::kNone;
    bool told = false; // logged already
  };

  // --- seats
  Admission take_seat(const Origin &origin, const RelayLimits &limits, std::uint64_t now_ns);
  void leave_seat(const Origin &origin, Seat seat);

  // --- who is known: a control channel or a tunnel of this source began, or has ended
  void came(const std::string &source);
  void went(const std::string &source);

  // --- refusals
  /// A set-up that failed before it showed a token.
  void spent(const std::string &source, const RelayLimits &limits, std::uint64_t now_ns);
  /// One more was refused.
  FailureCount::Failure refused(const std::string &source, Code why, const RelayLimits &limits,
                                std::uint64_t now_ns);

  /// True if no source has a seat, a channel or a tunnel.
  [[nodiscard]] bool idle() const;

private:
  struct Share {
    std::uint32_t taken = 0;
    bool told = false;
  };
  struct Source {
    Share seats;
    std::uint32_t online = 0; // channels and tunnels
    bool remembered = false;  // its refusals, for a while
    bool told_refused = false;
    FailureCount refusals;
    std::uint64_t paid_ns = 0; // each failed set-up moves it forward
    [[nodiscard]] bool needed() const { return seats.taken > 0 || online > 0 || remembered; }
  };
  Source &remember(const std::string &source, const RelayLimits &limits, std::uint64_t now_ns);
  static void forget_old(Source &source, const RelayLimits &limits, std::uint64_t now_ns);
  void sweep(const RelayLimits &limits, std::uint64_t now_ns);
  void erase_unneeded(const std::string &source);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Source> sources_;
  std::unordered_map<std::string, Share> networks_; // of strangers only
  std::uint64_t strangers_ = 0;
  std::uint64_t remembered_ = 0;
  Source others_; // refused, beyond RelayLimits::refused_sources
  std::uint64_t next_sweep_ns_ = 0;
};

} // namespace culvert
