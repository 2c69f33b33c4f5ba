#include "core/uuid.hpp"
#include "facade/client_role.hpp"
#include "facade/operation_bench.hpp"

#include <deque>

namespace culvert {
namespace {

/// Success, unless it will never be otherwise: the plugin says so, or is at fault itself.
template <typename Value> Status hopeless(const Result<Value> &result) {
  return result.ok() ||
                 (result.status().retry != Retry::kNever && !plugin_at_fault(result.status()))
             ? Status{}
             : result.status();
}

struct Check {
  explicit Check(OperationBench &bench_of_it) : bench(bench_of_it) {}

  OperationBench &bench;
  ClientUnits units;
  ClientPart part;
  AcquireToken acquire;
  std::deque<ResolveName> resolve; // one a name

  Status name(const std::string &host) {
    return hopeless(
        bench.ask(resolve.emplace_back(), units.limits.handshake_ms,
                  [&](ResolveName &operation) { part.resolver->resolve(operation, host); }));
  }

  Status relay(Purpose purpose, const EntityAddress &entity) {
    const Result<std::string> audience = part.transport->audience(entity);
    if (!audience.ok()) {
      return audience.status();
    }
    const Result<Token> token =
        bench.ask(acquire, units.limits.handshake_ms, [&](AcquireToken &operation) {
          part.auth->acquire(operation, audience.value());
        });
    if (!token.ok()) {
      return hopeless(token);
    }
    SystemRandom random;
    const std::string id = make_uuid(random);
    const Result<LinkDescription> description =
        purpose == Purpose::kListen ? part.transport->listen(entity, token.value().text, id)
                                    : part.transport->dial(entity, token.value().text, id, {});
    if (!description.ok()) {
      return description.status();
    }
    const std::string &host = description.value().host;
    if (part.proxy == nullptr || !part.proxy->leads_to(host)) {
      return name(host);
    }
    Status status = name(part.proxy->address().host);
    if (!status.ok()) {
      status.message = part.proxy->title() + ": " + status.message;
    }
    return status;
  }

  Status all(Purpose purpose, const EntityAddress &entity, const std::string &target_host) {
    Status status = part.attach_plugins(units, bench.shard());
    if (status.ok()) {
      status = relay(purpose, entity);
    }
    return status.ok() && !target_host.empty() ? name(target_host) : status;
  }
};

} // namespace

Status ClientUnits::check(Purpose purpose, const EntityAddress &entity,
                          const std::string &target_host) {
  const auto bench = OperationBench::make();
  if (!bench.ok()) {
    return bench.status();
  }
  auto check = std::make_unique<Check>(*bench.value());
  check->units = std::move(*this);
  Status status = check->all(purpose, entity, target_host);
  check->part = {};
  *this = std::move(check->units);
  return status;
}

} // namespace culvert
