#include "plugin/instance.hpp"

#include <mutex>

namespace culvert {

void keep_for_plugin(std::shared_ptr<void> what) {
  static std::mutex mutex;
  static std::vector<std::shared_ptr<void>> kept;
  const std::lock_guard lock(mutex);
  kept.push_back(std::move(what));
}

Instance::Instance(Unit &unit, Shard &shard, const culvert_life &life)
    : unit_(unit), shard_(shard), calls_(unit.services_.clock, unit.services_.log, unit.id()),
      life_(life), waits_(shard, calls_),
      host_(std::make_shared<PluginHost>(unit.services_, unit.id(), unit.values_, shard)),
      room_(std::make_unique_for_overwrite<std::byte[]>(kPluginArenaBytes)) {
  host_->waits = &waits_;
  unit_.instances_.fetch_add(1, std::memory_order_acq_rel);
}

Status Instance::attach() {
  self_ = unit_.self_;
  if (life_.attach == nullptr) {
    return {};
  }
  culvert_status error = no_error();
  const CallWatch::Call call = calls_.watch("attach");
  self_ = life_.attach(unit_.self_, host_.get(), shard_.index, &error);
  if (self_ == nullptr) {
    return Reader(id(), "attach").failure(error);
  }
  attached_ = true;
  return {};
}

void Instance::detach(std::size_t not_completed) {
  if (not_completed > 0) {
    shard_.log.write(LogLevel::kError,
                     "a plugin has not completed its calls; it is not detached, and what it may "
                     "still use stays in memory",
                     {{"plugin", std::string(id())}, {"calls", std::to_string(not_completed)}});
    host_->cut_off(); // the shard may end before the plugin uses it again
    keep_for_plugin(std::move(host_));
    keep_for_plugin(std::move(room_));
    unit_.keep();
  } else if (attached_ && life_.detach != nullptr) {
    const CallWatch::Call call = calls_.watch("detach");
    life_.detach(self_);
  }
  attached_ = false;
  const std::size_t waits = waits_.end();
  if (waits > 0 && not_completed == 0) {
    shard_.log.write(LogLevel::kError,
                     "a plugin was detached and still had watches or timers; they are cancelled",
                     {{"plugin", std::string(id())}, {"waits", std::to_string(waits)}});
  }
}

Instance::~Instance() {
  detach();
  unit_.instances_.fetch_sub(1, std::memory_order_acq_rel);
}

} // namespace culvert
