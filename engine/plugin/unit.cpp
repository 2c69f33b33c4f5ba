#include "plugin/unit.hpp"

#include "core/assert.hpp"
#include "culvert/secret.hpp"
#include "plugin/instance.hpp"
#include "plugin/values.hpp"

#include <utility>

namespace culvert {

Unit::Unit(const culvert_plugin &entry, KindFunctions functions, ConfigValues values,
           const HostServices &services, std::shared_ptr<PluginCallCounts> counts,
           std::uint64_t generation)
    : entry_(entry), functions_(functions),
      values_(std::make_shared<ConfigValues>(std::move(values))), services_(services),
      counts_(std::move(counts)), generation_(generation),
      host_(std::make_shared<PluginHost>(services_, entry_.id, values_)),
      calls_(services_.clock, services_.log, entry_.id) {}

const culvert_life &Unit::life() const {
  return std::visit([](const auto &one) -> const culvert_life & { return one.life; }, functions_);
}

Result<std::unique_ptr<Unit>> Unit::make(const culvert_plugin &entry, PluginKind kind,
                                         ConfigValues values, const HostServices &services,
                                         std::shared_ptr<PluginCallCounts> counts,
                                         std::uint64_t generation) {
  Result<KindFunctions> functions = find_kind(entry, kind);
  if (!functions.ok()) {
    return functions.status();
  }
  Result<ConfigValues> checked = check_config(entry.id, config_keys(entry), std::move(values));
  if (!checked.ok()) {
    return checked.status();
  }
  std::unique_ptr<Unit> unit(new Unit(entry, functions.value(), std::move(checked.value()),
                                      services, std::move(counts), generation));
  const culvert_life &life = unit->life();
  if (life.create != nullptr) {
    culvert_status error{};
    error.size = sizeof error;
    const CallWatch::Call call = unit->calls_.watch("create");
    unit->self_ = life.create(unit->host_.get(), &error);
    if (unit->self_ == nullptr) {
      return Reader(entry.id, "create").failure(error);
    }
  }
  return unit;
}

Unit::~Unit() {
  CULVERT_ASSERT(instances() == 0);
  if (kept_.load(std::memory_order_acquire)) {
    host_->cut_off();
    keep_for_plugin(host_);
  } else if (self_ != nullptr && life().destroy != nullptr) {
    const CallWatch::Call call = calls_.watch("destroy");
    life().destroy(self_);
  }
  for (auto &[name, value] : *values_) {
    if (auto *text = std::get_if<std::string>(&value)) {
      cleanse(*text); // a ready-made token is a secret
    }
  }
}

namespace {

template <typename Functions> const Functions &checked(const KindFunctions &functions) {
  const auto *found = std::get_if<Functions>(&functions);
  CULVERT_ASSERT(found != nullptr); // the caller passes the unit's own kind
  return *found;
}

template <typename Kind, typename Made>
Result<std::unique_ptr<Kind>> attached(std::unique_ptr<Made> instance) {
  Status status = instance->attach();
  if (!status.ok()) {
    return status;
  }
  return std::unique_ptr<Kind>(std::move(instance));
}

} // namespace

Result<std::unique_ptr<Transport>> Unit::transport(Shard &shard) {
  return attached<Transport>(
      std::make_unique<TransportInstance>(*this, shard, checked<culvert_transport>(functions_)));
}

Result<std::unique_ptr<RelayProtocol>> Unit::relay_protocol(Shard &shard) {
  return attached<RelayProtocol>(
      std::make_unique<RelayInstance>(*this, shard, checked<culvert_relay>(functions_)));
}

Result<std::unique_ptr<Auth>> Unit::auth(Shard &shard) {
  return attached<Auth>(
      std::make_unique<AuthInstance>(*this, shard, checked<culvert_auth>(functions_)));
}

Result<std::unique_ptr<Resolver>> Unit::resolver(Shard &shard) {
  return attached<Resolver>(
      std::make_unique<ResolverInstance>(*this, shard, checked<culvert_resolver>(functions_)));
}

} // namespace culvert
