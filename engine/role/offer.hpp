// One offer at a listener: dial the target first, then fetch the sender, or refuse it with the
// reason; then the two are joined. A listener without room refuses it unserved.
//
// Belongs to a shard and to its listener part; reports exactly once through `done`, with everything
// of it closed unless it handed over both links.
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
  [[nodiscard]] std::string text() const;
};

/// Where an offer may send us: the relay itself, and what the operator allowed besides.
class RendezvousPolicy {
public:
  RendezvousPolicy(const std::string &relay_host, const std::vector<std::string> &allowed);
  /// Source::kConfig for what is neither a host nor *.SUFFIX.
  static Status check(const std::vector<std::string> &allowed);
  /// Exact, or any name below `*.suffix`; ignoring case.
  [[nodiscard]] bool allows(std::string_view host) const;

private:
  std::vector<std::string> exact_;
  std::vector<std::string> suffixes_; // with their leading dot
};

class Offer {
public:
  Offer(const ClientKit &kit, const TargetAddress &target, const RendezvousPolicy &policy,
        std::string offer, std::string loggable_id, Delegate<Offer &> done);

  void start();
  /// Instead of start(): refuses the sender at once.
  void reject(const Status &why);
  void cancel(Status why);

  [[nodiscard]] const std::string &loggable_id() const { return loggable_id_; }
  /// Success: both links are there. Otherwise why not.
  [[nodiscard]] const Status &status() const { return status_; }
  std::unique_ptr<Link> take_relay_link() { return outbound_.take_link(); }
  std::unique_ptr<Link> take_target_link() { return std::move(target_link_); }

private:
  void on_resolved(Outcome outcome);
  void on_dialled(Result<Socket> socket);
  void blame_target(Status why);
  void on_outbound(Outbound &outbound);
  void on_target_dropped(Outcome outcome);
  [[nodiscard]] Result<LinkDescription> allowed(Result<LinkDescription> description) const;
  void end(Status status);

  ClientKit kit_;
  const TargetAddress target_;
  const RendezvousPolicy policy_;
  const std::string offer_;
  const std::string loggable_id_;
  Delegate<Offer &> done_;
  Status status_;
  Status cancelled_;
  bool refusing_ = false;

  ResolveName resolve_;
  Dial dial_;
  std::unique_ptr<Link> target_link_;
  Outbound outbound_;
  Completion dropping_;
};

} // namespace culvert
