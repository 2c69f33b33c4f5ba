#include "role/relay/listener_registry.hpp"

#include "role/relay/text.hpp"

#include <algorithm>

namespace culvert {

namespace {

bool contains(const std::vector<std::string> &ids, const std::string &id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void lower_count(std::unordered_map<std::string, std::uint32_t> &counts, const std::string &key) {
  const auto found = counts.find(key);
  CULVERT_ASSERT(found != counts.end() && found->second > 0);
  if (--found->second == 0) {
    counts.erase(found);
  }
}

std::uint32_t count_of(const std::unordered_map<std::string, std::uint32_t> &counts,
                       const std::string &key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

Status overload(std::string message) {
  return Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff, std::move(message));
}

} // namespace

Result<std::optional<ChannelRef>> ListenerRegistry::add(RegisteredListener listener,
                                                        std::uint64_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> &entries = entities_[lower_case(listener.entity)];
  const auto same = std::find_if(entries.begin(), entries.end(), [&](const Entry &entry) {
    return !listener.id.empty() && entry.listener.id == listener.id &&
           entry.listener.protocol == listener.protocol;
  });
  if (same == entries.end()) {
    if (entries.size() >= most) {
      return Status::failure(Code::kQuota, Source::kRelay, Retry::kBackoff,
                             "the entity has " + std::to_string(entries.size()) +
                                 " listeners, which is the limit");
    }
    entries.push_back({std::move(listener), 0});
    return std::optional<ChannelRef>();
  }
  const ChannelRef replaced = same->listener.channel;
  *same = {std::move(listener), 0};
  return std::optional(replaced);
}

void ListenerRegistry::remove(const std::string &entity, const ChannelRef &channel) {
  const std::lock_guard lock(mutex_);
  const auto found = entities_.find(lower_case(entity));
  if (found == entities_.end()) {
    return;
  }
  std::erase_if(found->second,
                [&](const Entry &entry) { return entry.listener.channel == channel; });
  if (found->second.empty()) {
    entities_.erase(found);
  }
}

std::size_t ListenerRegistry::size() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto &[entity, entries] : entities_) {
    count += entries.size();
  }
  return count;
}

void ListenerRegistry::count(std::vector<EntityStats> &entities) const {
  const std::lock_guard lock(mutex_);
  for (EntityStats &one : entities) {
    const std::string path = lower_case(one.path);
    const auto found = entities_.find(path);
    one.listeners = found == entities_.end() ? 0 : static_cast<std::uint32_t>(found->second.size());
    one.tunnels = count_of(tunnels_by_entity_, path);
    one.pending = count_of(pending_by_entity_, path);
  }
}

Result<RegisteredListener> ListenerRegistry::choose(const Wish &wish,
                                                    const std::vector<ChannelRef> &tried,
                                                    Random &random) const {
  const std::lock_guard lock(mutex_);
  std::vector<const Entry *> fit;
  bool any = false; // that was not tried
  const auto found = entities_.find(lower_case(wish.entity));
  if (found != entities_.end()) {
    for (const Entry &entry : found->second) {
      const RegisteredListener &listener = entry.listener;
      if (listener.protocol != wish.protocol ||
          std::find(tried.begin(), tried.end(), listener.channel) != tried.end()) {
        continue;
      }
      any = true;
      if ((wish.allowed.empty() || contains(wish.allowed, listener.id)) &&
          !contains(wish.denied, listener.id)) {
        fit.push_back(&entry);
      }
    }
  }
  if (fit.empty()) {
    return Status::failure(any ? Code::kNoneAllowed : Code::kNoListener, Source::kRelay,
                           Retry::kBackoff,
                           any             ? "none of the connected listeners may be used"
                           : tried.empty() ? "no listener is connected"
                                           : "no other listener can be offered this sender");
  }
  if (wish.choice == ListenerChoice::kLeastTunnels) {
    std::int64_t least = fit.front()->tunnels;
    for (const Entry *entry : fit) {
      least = std::min(least, entry->tunnels);
    }
    std::erase_if(fit, [&](const Entry *entry) { return entry->tunnels > least; });
  }
  return fit[random.below(fit.size())]->listener;
}

void ListenerRegistry::count_tunnel(const std::string &entity, const ChannelRef &channel,
                                    std::int64_t change) {
  const std::lock_guard lock(mutex_);
  const std::string path = lower_case(entity);
  if (change > 0) {
    ++tunnels_by_entity_[path];
  } else {
    lower_count(tunnels_by_entity_, path);
  }
  const auto found = entities_.find(path);
  if (found == entities_.end()) {
    return;
  }
  for (Entry &entry : found->second) {
    if (entry.listener.channel == channel) {
      entry.tunnels += change;
    }
  }
}

Status ListenerRegistry::admit(const std::string &entity, const std::string &source,
                               const RelayLimits &limits) {
  const std::lock_guard lock(mutex_);
  const std::string path = lower_case(entity);
  const std::uint64_t tunnels =
      std::uint64_t{count_of(tunnels_by_entity_, path)} + count_of(pending_by_entity_, path);
  if (limits.tunnels_per_entity > 0 && tunnels >= limits.tunnels_per_entity) {
    return Status::failure(Code::kQuota, Source::kRelay, Retry::kBackoff,
                           "the entity has " + std::to_string(tunnels) +
                               " tunnels and waiting senders; tunnels_per_entity is " +
                               std::to_string(limits.tunnels_per_entity));
  }
  if (count_of(pending_by_entity_, path) >= limits.pending_per_entity) {
    return overload("too many senders wait for this entity");
  }
  if (!source.empty() && count_of(pending_by_source_, source) >= limits.pending_per_source) {
    return overload("too many senders of this address wait");
  }
  ++pending_by_entity_[path];
  if (!source.empty()) {
    ++pending_by_source_[source];
  }
  return {};
}

void ListenerRegistry::release(const std::string &entity, const std::string &source) {
  const std::lock_guard lock(mutex_);
  lower_count(pending_by_entity_, lower_case(entity));
  if (!source.empty()) {
    lower_count(pending_by_source_, source);
  }
}

} // namespace culvert
