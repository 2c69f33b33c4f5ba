// Serves one offer at a listener: dials the target first, then fetches the sender, or refuses it
// with the reason. The listener then joins the two. A listener that is full refuses the offer at
// once.
//
// If the relay cannot be reached, breaks the connection or is full, it is dialled again: at once,
// then after pauses that double, for ClientLimits::fetch_ms. Then the listener gives up and refuses
// the sender in the same way, while the capability is valid (rendezvous_ms). The target's
// connection is dropped when a refusal begins.
//
// Belongs to a shard and to its listener part; reports exactly once through `done`. Then everything
// that it opened is closed, unless the caller takes both links.
#pragma once

#include "link/dial.hpp"
#include "role/outbound.hpp"

#include <memory>
#include <string>
#include <vector>

namespace culvert {

struct TargetAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;
  bool proxy_header = false; // the first bytes to it say who the app is (proxy_header.hpp)
  [[nodiscard]] std::string text() const;
};

/// Hosts that an offer may name: the relay itself, and those that the operator allowed in addition.
class RendezvousPolicy {
public:
  RendezvousPolicy(const std::string &relay_host, const std::vector<std::string> &allowed);
  /// Refuses with Source::kConfig what is neither a host nor *.SUFFIX.
  static Status check(const std::vector<std::string> &allowed);
  /// Exact, or any name below `*.suffix`; ignoring case.
  [[nodiscard]] bool allows(std::string_view host) const;

private:
  std::vector<std::string> exact_;
  std::vector<std::string> suffixes_; // with their leading dot
};

class Fetch {
public:
  Fetch(const ClientKit &kit, const TargetAddress &target, const RendezvousPolicy &policy,
        ChannelResult offer, Delegate<Fetch &> done);

  void start();
  /// Instead of start(): refuses the sender at once.
  void reject(const Status &why);
  void cancel(Status why);

  [[nodiscard]] const std::string &loggable_id() const { return offer_.loggable_id; }
  /// As the sender says; may be empty.
  [[nodiscard]] const std::string &app_address() const { return offer_.app_address; }
  /// When the target's connection was there; after success.
  [[nodiscard]] std::uint64_t target_reached_ns() const { return target_reached_ns_; }
  /// Success means that both links can be taken; otherwise the reason.
  [[nodiscard]] const Status &status() const { return status_; }
  std::unique_ptr<Link> take_relay_link() { return outbound_.take_link(); }
  std::unique_ptr<Link> take_target_link() { return std::move(target_link_); }

private:
  enum class Phase : std::uint8_t {
    kTarget,   // resolves and dials it
    kFetching, // dials the relay, or pauses before the next dial
    kRefusing, // the same, to refuse the sender
    kEnding
  };
  void on_resolved(Outcome outcome);
  void on_dialled(Result<Socket> socket);
  void greet_target();
  void blame_target(Status why);
  void on_outbound(Outbound &outbound);
  void on_target_dropped(Outcome outcome);
  void on_late();
  void dial_relay();
  void on_pause();
  void try_again();
  static bool worth_another_try(const Status &why);
  [[nodiscard]] Result<LinkDescription> allowed(Result<LinkDescription> description) const;
  void drop_target();
  void end(Status status);

  ClientKit kit_;
  const TargetAddress target_;
  const RendezvousPolicy policy_;
  const ChannelResult offer_;
  Delegate<Fetch &> done_;
  Status status_;
  Status cancelled_;
  Phase phase_ = Phase::kTarget;
  LinkDescription description_; // of the relay, in kFetching and kRefusing
  std::uint64_t pause_ms_ = 0;  // the last one
  std::uint64_t started_ns_ = 0;
  std::uint64_t target_reached_ns_ = 0;
  Timer pause_;
  Timer late_; // of the phase

  ResolveName resolve_;
  Dial dial_;
  std::unique_ptr<Link> target_link_;
  Outbound outbound_;
  Completion dropping_;
};

} // namespace culvert
