#include "role/fetch.hpp"

#include "core/text.hpp"
#include "link/os_status.hpp"
#include "link/tcp.hpp"
#include "role/proxy_header.hpp"
#include "role/repeat.hpp"

#include <algorithm>
#include <cctype>

namespace culvert {
std::string TargetAddress::text() const {
  if (!unix_path.empty()) {
    return "unix:" + unix_path;
  }
  const bool literal6 = host.find(':') != std::string::npos;
  return (literal6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

RendezvousPolicy::RendezvousPolicy(const std::string &relay_host,
                                   const std::vector<std::string> &allowed) {
  exact_.push_back(lower_case(relay_host));
  for (const std::string &host : allowed) {
    if (host.starts_with("*.")) {
      suffixes_.push_back(lower_case(host.substr(1)));
    } else {
      exact_.push_back(lower_case(host));
    }
  }
}

Status RendezvousPolicy::check(const std::vector<std::string> &allowed) {
  for (const std::string &host : allowed) {
    const std::string name = host.starts_with("*.") ? host.substr(2) : host;
    const bool is_name =
        !name.empty() && name.front() != '.' &&
        std::all_of(name.begin(), name.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':';
        });
    const bool has_port = name.find(':') != std::string::npos && !Address::from_literal(name, 0);
    if (!is_name || has_port) {
      return Status::config("rendezvous host '" + host +
                            "': write a host name, an IP address or *.SUFFIX, without scheme, port "
                            "or path");
    }
  }
  return {};
}

bool RendezvousPolicy::allows(std::string_view host) const {
  const std::string name = lower_case(host);
  return std::find(exact_.begin(), exact_.end(), name) != exact_.end() ||
         std::any_of(suffixes_.begin(), suffixes_.end(), [&name](const std::string &suffix) {
           return name.size() > suffix.size() && name.ends_with(suffix);
         });
}

Fetch::Fetch(const ClientKit &kit, const TargetAddress &target, const RendezvousPolicy &policy,
             ChannelResult offer, Delegate<Fetch &> done)
    : kit_(kit), target_(target), policy_(policy), offer_(std::move(offer)), done_(done),
      dial_(kit.shard), outbound_(kit, Delegate<Outbound &>::to<&Fetch::on_outbound>(*this)) {
  resolve_.bind<&Fetch::on_resolved>(*this);
  dial_.bind<&Fetch::on_dialled>(*this);
  dropping_.bind<&Fetch::on_target_dropped>(*this);
  pause_.bind<&Fetch::on_pause>(*this);
  late_.bind<&Fetch::on_late>(*this);
}

// --- the target ----------------------------------------------------------------------------------

void Fetch::start() {
  started_ns_ = kit_.shard.io.now_ns();
  if (target_.unix_path.empty()) {
    kit_.shard.io.arm_after_ms(late_, kit_.limits->handshake_ms);
    kit_.resolver.resolve(resolve_, target_.host);
  } else {
    dial_.start({Address::unix_path(target_.unix_path)}, kit_.limits->target_dial_ms);
  }
}

void Fetch::on_resolved(Outcome) {
  late_.disarm();
  if (!cancelled_.ok()) {
    end(cancelled_);
    return;
  }
  if (!resolve_.result.ok()) {
    blame_target(resolve_.result.status());
    return;
  }
  std::vector<Address> addresses = std::move(resolve_.result.value().addresses);
  for (Address &address : addresses) {
    address.port = target_.port;
  }
  dial_.start(std::move(addresses), kit_.limits->target_dial_ms);
}

void Fetch::on_dialled(Result<Socket> socket) {
  if (!socket.ok() && cancelled_.ok()) {
    blame_target(socket.status());
    return;
  }
  if (!socket.ok()) {
    end(cancelled_);
    return;
  }
  auto link = std::make_unique<TcpLink>(kit_.shard, socket.value());
  link->end_tunnel_here();
  target_reached_ns_ = kit_.shard.io.now_ns();
  target_link_ = std::move(link);
  greet_target();
  Result<LinkDescription> description = allowed(kit_.transport.accept(offer_.message.bytes));
  if (!cancelled_.ok()) {
    end(cancelled_);
  } else if (!description.ok()) {
    reject(description.status());
  } else {
    phase_ = Phase::kFetching;
    description_ = std::move(description.value());
    kit_.shard.io.arm(late_, started_ns_ + kit_.limits->fetch_ms * 1'000'000U);
    dial_relay();
  }
}

void Fetch::greet_target() {
  if (!target_.proxy_header) {
    return;
  }
  std::string header =
      proxy_header(culvert::app_address(offer_.app_address), target_link_->peer_address());
  target_link_->send({reinterpret_cast<std::byte *>(header.data()), header.size()});
  target_link_->flush();
}

void Fetch::blame_target(Status why) {
  why.source = lacks_resources(why) ? Source::kLocal : Source::kTarget;
  why.message = "target " + target_.text() + ": " + why.message;
  reject(why);
}

// --- the relay -----------------------------------------------------------------------------------

Result<LinkDescription> Fetch::allowed(Result<LinkDescription> description) const {
  if (!description.ok()) {
    return description;
  }
  const LinkDescription &link = description.value();
  if (!link.tls) {
    return Status::failure(Code::kRejected, Source::kRelay, Retry::kNever,
                           "the relay's offer names an address of " + link.host +
                               " without TLS, and a listener uses TLS alone: let the relay offer "
                               "an address with TLS");
  }
  if (!policy_.allows(link.host)) {
    return Status::failure(
        Code::kRejected, Source::kRelay, Retry::kNever,
        "the relay's offer points to " + link.host +
            ", which is not the relay: correct the relay's public address, or, if "
            "that host is meant, add it to rendezvous_hosts");
  }
  return description;
}

void Fetch::dial_relay() {
  outbound_.start(phase_ == Phase::kFetching ? Purpose::kAccept : Purpose::kReject, description_,
                  offer_.loggable_id);
}

void Fetch::reject(const Status &why) {
  status_ = why;
  drop_target();
  if (started_ns_ == 0) {
    started_ns_ = kit_.shard.io.now_ns();
  }
  Result<LinkDescription> description = allowed(kit_.transport.reject(offer_.message.bytes, why));
  if (!description.ok()) {
    end(status_);
    return;
  }
  phase_ = Phase::kRefusing;
  description_ = std::move(description.value());
  pause_ms_ = 0;
  kit_.shard.io.arm(late_, started_ns_ + kit_.limits->rendezvous_ms * 1'000'000U);
  dial_relay();
}

/// Whether another connection may fare better: the relay was not reached, or had no room.
bool Fetch::worth_another_try(const Status &why) {
  switch (why.code) {
  case Code::kTimeout:
  case Code::kRefused:
  case Code::kUnreachable:
  case Code::kReset:
  case Code::kOverload:
  case Code::kNoMemory:
  case Code::kNoDescriptor:
    return true;
  default:
    return false;
  }
}

void Fetch::on_outbound(Outbound &outbound) {
  const Status &outcome = outbound.status();
  if (!cancelled_.ok()) {
    end(cancelled_);
  } else if (outcome.ok()) {
    end(phase_ == Phase::kRefusing ? status_ : outcome);
  } else if (late_.armed() && worth_another_try(outcome)) {
    try_again();
  } else if (phase_ == Phase::kRefusing) {
    end(status_);
  } else if (outcome.code == Code::kRejected || outcome.code == Code::kGone) {
    end(outcome); // the relay knows that nobody comes
  } else {
    reject(outcome);
  }
}

void Fetch::try_again() {
  const std::uint64_t pause_ms = pause_ms_; // none before the first repetition
  pause_ms_ = kit_.limits->next_pause_ms(pause_ms_);
  kit_.shard.io.arm_after_ms(pause_, part_of_pause_ms(pause_ms, kit_.shard.random));
}

void Fetch::on_pause() {
  if (!cancelled_.ok()) {
    end(cancelled_);
  } else if (late_.armed()) {
    dial_relay();
  } else if (phase_ == Phase::kFetching) {
    reject(outbound_.status());
  } else {
    end(status_);
  }
}

void Fetch::on_late() {
  if (phase_ == Phase::kTarget) {
    resolve_.abandon();
  } else if (pause_.armed()) {
    kit_.shard.io.arm_after_ms(pause_, 0);
  } else {
    outbound_.cancel(Status::failure(Code::kTimeout, Source::kRelay, Retry::kBackoff,
                                     "the relay did not answer in time"));
  }
}

// --- the end -------------------------------------------------------------------------------------

void Fetch::end(Status status) {
  phase_ = Phase::kEnding;
  late_.disarm();
  status_ = std::move(status);
  if (!status_.ok()) {
    drop_target();
  }
  if (!dropping_.in_flight()) {
    done_(*this);
  }
}

void Fetch::drop_target() {
  if (target_link_ != nullptr && !dropping_.in_flight()) {
    target_link_->drop(dropping_);
  }
}

void Fetch::on_target_dropped(Outcome) {
  target_link_.reset();
  if (phase_ == Phase::kEnding) {
    done_(*this);
  }
}

void Fetch::cancel(Status why) {
  cancelled_ = why;
  resolve_.abandon();
  dial_.cancel();
  outbound_.cancel(std::move(why));
  if (pause_.armed()) {
    kit_.shard.io.arm_after_ms(pause_, 0);
  }
}

} // namespace culvert
