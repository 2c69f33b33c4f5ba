#include "core/uuid.hpp"
#include "facade/client_role.hpp"
#include "facade/operation_bench.hpp"

namespace culvert {
namespace {

/// Success, unless it will never be otherwise.
template <typename Value> Status hopeless(const Result<Value> &result) {
  return result.ok() || result.status().retry != Retry::kNever ? Status{} : result.status();
}

struct Check {
  OperationBench bench;
  ClientPart part;

  Status name(const std::string &host) {
    return hopeless(bench.run<ResolveName>(
        [&](ResolveName &operation) { part.resolver->resolve(operation, host); }));
  }

  Status relay(Purpose purpose, const EntityAddress &entity) {
    const Result<std::string> audience = part.transport->audience(entity);
    if (!audience.ok()) {
      return audience.status();
    }
    const Result<Token> token = bench.run<AcquireToken>(
        [&](AcquireToken &operation) { part.auth->acquire(operation, audience.value()); });
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
};

} // namespace

Status ClientUnits::check(Purpose purpose, const EntityAddress &entity,
                          const std::string &target_host) {
  Check check;
  Status status = check.bench.start();
  if (status.ok()) {
    status = check.part.attach_plugins(*this, check.bench.shard());
  }
  if (status.ok()) {
    status = check.relay(purpose, entity);
  }
  return status.ok() && !target_host.empty() ? check.name(target_host) : status;
}

} // namespace culvert
