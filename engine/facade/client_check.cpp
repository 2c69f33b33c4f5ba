#include "core/uuid.hpp"
#include "facade/client_role.hpp"
#include "facade/operation_bench.hpp"

#include <deque>

namespace culvert {
namespace {

/// Success, unless it will never be otherwise: that is what the plugin says, or the plugin itself
/// is at fault, which no relay and no network will mend.
template <typename Value> Status hopeless(const Result<Value> &result) {
  const bool plugin_at_fault = !result.ok() && result.status().source == Source::kPlugin &&
                               result.status().code == Code::kInternal;
  return result.ok() || (result.status().retry != Retry::kNever && !plugin_at_fault)
             ? Status{}
             : result.status();
}

struct Check {
  OperationBench bench;
  ClientUnits units;
  ClientPart part;
  AcquireToken acquire;
  std::deque<ResolveName> resolve; // one a name

  template <typename Value, typename Begin>
  Result<Value> ask(PluginOperation<Value> &operation, const char *kind, Begin begin) {
    bench.start(operation, begin);
    if (bench.wait(operation, bench.shard().io.now_ns() + units.limits.handshake_ms * 1'000'000)) {
      return std::move(operation.result);
    }
    operation.abandon();
    bench.wait(operation, Timers::kNever);
    return Status::failure(Code::kTimeout, Source::kPlugin, Retry::kNever,
                           std::string("the ") + kind + " plugin has not answered within " +
                               std::to_string(units.limits.handshake_ms / 1'000) +
                               " s; name another one");
  }

  Status name(const std::string &host) {
    return hopeless(ask(resolve.emplace_back(), "resolver",
                        [&](ResolveName &operation) { part.resolver->resolve(operation, host); }));
  }

  Status relay(Purpose purpose, const EntityAddress &entity) {
    const Result<std::string> audience = part.transport->audience(entity);
    if (!audience.ok()) {
      return audience.status();
    }
    const Result<Token> token = ask(acquire, "auth", [&](AcquireToken &operation) {
      part.auth->acquire(operation, audience.value());
    });
    if (!token.ok()) {
      return hopeless(token);
    }
    SystemRandom random;
    const std::string id = make_uuid(random);
    const Result<LinkDescription> description =
        purpose == Purpose::kListen ? part.transport->listen(entity, token.value().text, id)
                                    : part.transport->dial(entity, token.value().text, id);
    return description.ok() ? name(description.value().host) : description.status();
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
  auto check = std::make_unique<Check>();
  check->units = std::move(*this);
  Status status = check->all(purpose, entity, target_host);
  check->part = {};
  *this = std::move(check->units);
  return status;
}

} // namespace culvert
