// What an operator configures for a relay: its names, entities, rules and limits, and the address
// for listeners.
//
// A snapshot: made once, then constant, and read by all shards. Each shard's parts and each
// connection that began with it keep it alive; its secrets are wiped when the last of them is gone.
// It owns the rules; pointers to them must not live longer than it.
#pragma once

#include "crypto/secret.hpp"
#include "culvert/limits.hpp"
#include "role/relay/rules.hpp"
#include "role/relay/text.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

struct RelayOptions {
  std::vector<std::string> names; // host names or IP literals; at least one
  std::vector<EntityOptions> entities;
  std::vector<Rule> own_rules;
  std::shared_ptr<const SecretLease> secrets; // of the rules; nullptr: the caller keeps them
  std::string public_host;       // host in offers; empty: the host that the listener dialled
  std::uint16_t public_port = 0; // 0 with a public_host: 443
  RelayLimits limits;
};

class RelayPolicy {
public:
  /// Refuses what cannot work, with Source::kConfig.
  static Status check(const RelayOptions &options);
  static Status check_names(const std::vector<std::string> &names);

  /// The options must have passed check().
  explicit RelayPolicy(RelayOptions options);
  RelayPolicy(const RelayPolicy &) = delete;
  RelayPolicy &operator=(const RelayPolicy &) = delete;

  [[nodiscard]] const std::vector<std::string> &names() const { return options_.names; }
  [[nodiscard]] const EntityTable &entities() const { return entities_; }
  [[nodiscard]] const RelayLimits &limits() const { return options_.limits; }
  /// The relay address in offers to a listener that dialled `authority`.
  [[nodiscard]] Authority public_address(std::string_view authority,
                                         std::uint16_t bound_port) const;

private:
  const RelayOptions options_;
  const EntityTable entities_;
};

} // namespace culvert
