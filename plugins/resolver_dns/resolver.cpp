#include "resolver.hpp"

#include "../names/hosts_file.hpp"

#include "culvert/text.hpp"

#include <algorithm>
#include <limits>
#include <sys/stat.h>
#include <utility>

namespace dns {
namespace {

using culvert::sdk::Error;
using culvert::sdk::text;

/// The wait for the other family's answer when one has come (RFC 8305, section 3: 50 ms).
constexpr std::uint64_t kOtherFamilyMs = 50;
/// An entry does not change, and a change of the hosts file is seen at the next lookup.
constexpr std::uint32_t kLocalLifetimeMs = 60'000;
constexpr std::size_t kNameBytes = 253; // RFC 1035, section 2.3.4

void fill(culvert_resolve &record, const std::vector<culvert_address> &addresses,
          std::uint64_t lifetime_ms) {
  const std::size_t count = std::min<std::size_t>(addresses.size(), CULVERT_MOST_ADDRESSES);
  std::copy_n(addresses.begin(), count, record.addresses);
  record.address_count = static_cast<std::uint32_t>(count);
  record.lifetime_ms = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(lifetime_ms, std::numeric_limits<std::uint32_t>::max()));
}

Error no_address(const std::string &name) {
  return {CULVERT_NO_NAME, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
          "DNS has no address for " + name + ": check the name, or add the resolve entry " + name +
              "=ADDR"};
}

} // namespace

FileMark FileMark::of(const std::string &path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    return {};
  }
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ino, found.st_size};
}

Unit::Unit(culvert::sdk::Host host)
    : hosts_file(host.config_text("hosts_file")),
      servers{host.config_list("servers"), std::string(host.config_text("resolv_conf")),
              static_cast<int>(std::clamp<std::int64_t>(host.config_integer("timeout_ms"), 0,
                                                        std::numeric_limits<int>::max())),
              static_cast<int>(std::clamp<std::int64_t>(host.config_integer("tries"), 0,
                                                        std::numeric_limits<int>::max()))} {
  entries.add_entries(host.config_list("resolve"));
  names::read_hosts(hosts_file);
  Channel::check(servers);
}

Resolver::Resolver(const Unit &unit, culvert::sdk::Host host, std::uint32_t /*shard*/)
    : unit_(unit), host_(host) {}

Resolver::~Resolver() {
  for (const auto &[name, lookup] : lookups_) {
    host_.cancel_timer(lookup->delay);
  }
}

// --- asking --------------------------------------------------------------------------------------

culvert_progress Resolver::resolve(culvert_resolve &record) {
  const std::string_view asked = text(record.name);
  if (known_here(asked, record)) {
    return CULVERT_DONE;
  }
  const std::string name = culvert::sdk::lower(asked);
  if (name.empty() || name.size() > kNameBytes || name.find('\0') != std::string::npos) {
    throw no_address(name.substr(0, kNameBytes));
  }
  if (const Known *known = cache_.fresh(name, now_ms())) {
    if (known->addresses.empty()) {
      throw no_address(name);
    }
    fill(record, known->addresses, known->fresh_until_ms - now_ms());
    return CULVERT_DONE;
  }
  auto found = lookups_.find(name);
  if (found != lookups_.end()) {
    found->second->waiting.push_back(&record);
    return CULVERT_PENDING;
  }
  follow_resolv_conf();
  auto lookup = std::make_unique<Lookup>(name, channel_->candidates(name));
  Lookup &started = *lookup;
  started.resolver = this;
  started.waiting.push_back(&record);
  lookups_.emplace(name, std::move(lookup));
  in_call_ = &record;
  started.ask(*channel_);
  settle();
  return std::exchange(in_call_, nullptr) == nullptr ? CULVERT_DONE : CULVERT_PENDING;
}

void Resolver::cancel(culvert_resolve &record) {
  for (const auto &[name, lookup] : lookups_) {
    std::erase(lookup->waiting, &record);
  }
  throw Error(CULVERT_TIMEOUT, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_BACKOFF,
              "no DNS server has answered for " + std::string(text(record.name)) + " yet (" +
                  channel_->servers() + ")");
}

bool Resolver::known_here(std::string_view name, culvert_resolve &record) {
  if (const auto literal = names::parse_literal(name)) {
    fill(record, {*literal}, kLocalLifetimeMs);
    return true;
  }
  read_changed_hosts();
  for (const names::Table *table : {&unit_.entries, &std::as_const(hosts_)}) {
    if (const names::Table::Addresses *addresses = table->find(name)) {
      fill(record, *addresses, kLocalLifetimeMs);
      return true;
    }
  }
  return false;
}

void Resolver::read_changed_hosts() {
  const FileMark mark = FileMark::of(unit_.hosts_file);
  if (mark != hosts_mark_) {
    hosts_.use_hosts(names::read_hosts(unit_.hosts_file));
    hosts_mark_ = mark;
  }
}

/// A changed file means another network; what is under way is not disturbed.
void Resolver::follow_resolv_conf() {
  const FileMark mark = FileMark::of(unit_.servers.resolv_conf);
  if (channel_ == nullptr || (mark != resolv_mark_ && lookups_.empty())) {
    channel_ = std::make_unique<Channel>(host_, unit_.servers, &Resolver::on_queries_ended, this);
    resolv_mark_ = mark;
  }
}

// --- answers -------------------------------------------------------------------------------------

void Resolver::on_queries_ended(void *self) {
  static_cast<Resolver *>(self)->settle();
}

/// Acts on the queries that have ended, and on those that end meanwhile.
void Resolver::settle() {
  for (auto ended = channel_->take_ended(); !ended.empty(); ended = channel_->take_ended()) {
    // Both queries of a lookup may have ended, and the first one ends the lookup.
    std::vector<Lookup *> lookups;
    for (const Query *query : ended) {
      auto *const lookup = static_cast<Lookup *>(query->owner);
      if (std::find(lookups.begin(), lookups.end(), lookup) == lookups.end()) {
        lookups.push_back(lookup);
      }
    }
    for (Lookup *lookup : lookups) {
      act(*lookup);
    }
  }
}

void Resolver::act(Lookup &lookup) {
  switch (lookup.look(*channel_)) {
  case Lookup::State::kAsking:
    return;
  case Lookup::State::kPartly:
    if (lookup.delay == 0) {
      lookup.delay = host_.timer<&Lookup::on_delay>(kOtherFamilyMs, lookup);
    }
    return;
  case Lookup::State::kFound:
  case Lookup::State::kNone:
    put(lookup);
    break;
  case Lookup::State::kNoAnswer:
    no_answer(lookup);
    break;
  }
  host_.cancel_timer(lookup.delay);
  lookups_.erase(lookups_.find(lookup.name));
}

/// The other family is not waited for any longer. Its answer is for those who ask later.
void Lookup::on_delay() {
  resolver->put(*this);
}

void Resolver::put(Lookup &lookup) {
  servers_answer();
  const Known &known = cache_.put(lookup.name, lookup.addresses(), lookup.ttl_s(), now_ms());
  answer_all(lookup, &known, "");
}

void Resolver::no_answer(Lookup &lookup) {
  const std::string why = ares_strerror(lookup.status());
  const Known *const known = cache_.revive(lookup.name, now_ms());
  if (known != nullptr && !std::exchange(servers_down_, true)) {
    host_.log(CULVERT_LOG_WARN, "no DNS server answers (" + channel_->servers() + ": " + why +
                                    "); the last addresses of names, first of " + lookup.name +
                                    ", are used for up to an hour");
  }
  answer_all(lookup, known, why);
}

void Resolver::servers_answer() {
  if (std::exchange(servers_down_, false)) {
    host_.log(CULVERT_LOG_INFO, "DNS servers answer again");
  }
}

void Resolver::answer_all(Lookup &lookup, const Known *known, const std::string &why) {
  for (culvert_resolve *record : std::exchange(lookup.waiting, {})) {
    answer(*record, known, lookup.name, why);
  }
}

/// `known` is nullptr when no server answered.
void Resolver::answer(culvert_resolve &record, const Known *known, const std::string &name,
                      const std::string &why) {
  if (known == nullptr) {
    Error(CULVERT_NO_NAME, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_BACKOFF,
          "cannot look up " + name + ": " + why + " (DNS servers " + channel_->servers() + ")")
        .write(record.status);
  } else if (known->addresses.empty()) {
    no_address(name).write(record.status);
  } else {
    const std::uint64_t now = now_ms();
    fill(record, known->addresses, known->fresh_until_ms > now ? known->fresh_until_ms - now : 0);
  }
  if (&record == in_call_) {
    in_call_ = nullptr;
  } else {
    record.complete(&record);
  }
}

} // namespace dns
