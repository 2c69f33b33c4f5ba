#include "role/offer.hpp"

#include "link/os_status.hpp"
#include "link/tcp.hpp"

#include <algorithm>
#include <cctype>

namespace culvert {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

} // namespace

std::string TargetAddress::text() const {
  if (!unix_path.empty()) {
    return "unix:" + unix_path;
  }
  const bool literal6 = host.find(':') != std::string::npos;
  return (literal6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

RendezvousPolicy::RendezvousPolicy(const std::string &relay_host,
                                   const std::vector<std::string> &allowed) {
  exact_.push_back(lower(relay_host));
  for (const std::string &host : allowed) {
    if (host.starts_with("*.")) {
      suffixes_.push_back(lower(host.substr(1)));
    } else {
      exact_.push_back(lower(host));
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
  const std::string name = lower(host);
  return std::find(exact_.begin(), exact_.end(), name) != exact_.end() ||
         std::any_of(suffixes_.begin(), suffixes_.end(), [&name](const std::string &suffix) {
           return name.size() > suffix.size() && name.ends_with(suffix);
         });
}

Offer::Offer(const ClientKit &kit, const TargetAddress &target, const RendezvousPolicy &policy,
             std::string offer, std::string loggable_id, Delegate<Offer &> done)
    : kit_(kit), target_(target), policy_(policy), offer_(std::move(offer)),
      loggable_id_(std::move(loggable_id)), done_(done), dial_(kit.shard),
      outbound_(kit, Delegate<Outbound &>::to<&Offer::on_outbound>(*this)) {
  resolve_.bind<&Offer::on_resolved>(*this);
  dial_.bind<&Offer::on_dialled>(*this);
  dropping_.bind<&Offer::on_target_dropped>(*this);
}

void Offer::start() {
  if (target_.unix_path.empty()) {
    kit_.resolver.resolve(resolve_, target_.host);
  } else {
    dial_.start({Address::unix_path(target_.unix_path)}, kit_.limits->target_dial_ms);
  }
}

void Offer::on_resolved(Outcome) {
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

void Offer::on_dialled(Result<Socket> socket) {
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
  target_link_ = std::move(link);
  const Result<LinkDescription> description = allowed(kit_.transport.accept(offer_));
  if (!cancelled_.ok()) {
    end(cancelled_);
    return;
  }
  if (!description.ok()) {
    reject(description.status());
    return;
  }
  outbound_.start(Purpose::kAccept, description.value());
}

Result<LinkDescription> Offer::allowed(Result<LinkDescription> description) const {
  if (!description.ok()) {
    return description;
  }
  const LinkDescription &link = description.value();
  if (!link.tls || !policy_.allows(link.host)) {
    return Status::failure(
        Code::kRejected, Source::kRelay, Retry::kNever,
        "the relay's offer points to " + link.host +
            ", which is not the relay: correct the relay's public address, or, if "
            "that host is meant, add it to rendezvous_hosts");
  }
  return description;
}

void Offer::blame_target(Status why) {
  why.source = lacks_resources(why) ? Source::kLocal : Source::kTarget;
  why.message = "target " + target_.text() + ": " + why.message;
  reject(why);
}

void Offer::reject(const Status &why) {
  status_ = why;
  refusing_ = true;
  const Result<LinkDescription> description = allowed(kit_.transport.reject(offer_, why));
  if (description.ok()) {
    outbound_.start(Purpose::kReject, description.value());
  } else {
    end(status_);
  }
}

void Offer::on_outbound(Outbound &outbound) {
  end(refusing_ ? status_ : outbound.status());
}

void Offer::end(Status status) {
  status_ = std::move(status);
  if (!status_.ok() && target_link_ != nullptr) {
    target_link_->drop(dropping_);
  } else {
    done_(*this);
  }
}

void Offer::on_target_dropped(Outcome) {
  target_link_.reset();
  done_(*this);
}

void Offer::cancel(Status why) {
  cancelled_ = why;
  dial_.cancel();
  outbound_.cancel(std::move(why));
}

} // namespace culvert
