// What a relay is told by its operator: its names, entities, rules and limits, and where listeners
// reach it.
//
// A snapshot: made once, constant, read by all shards at once. It is held by each shard's parts
// that serve it and by each connection that began with it, and its secrets are wiped when nobody
// holds it any more. It owns the rules; what points into them is kept no longer than the snapshot.
#pragma once

#include "crypto/secret.hpp"
#include "culvert/limits.hpp"
#include "role/relay/listener_registry.hpp"
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
  std::shared_ptr<const SecretLease> secrets; // what the rules refer to; none: somebody else's
  std::string public_host;                    // in offers; empty: as the listener dialled
  std::uint16_t public_port = 0;              // 0 with a public_host: 443
  ChoicePolicy choice = ChoicePolicy::kRandom;
  RelayLimits limits;
};

class RelayPolicy {
public:
  /// What cannot work, as Source::kConfig.
  static Status check(const RelayOptions &options);
  static Status check_names(const std::vector<std::string> &names);

  /// The options must have passed check().
  explicit RelayPolicy(RelayOptions options);
  RelayPolicy(const RelayPolicy &) = delete;
  RelayPolicy &operator=(const RelayPolicy &) = delete;

  [[nodiscard]] const std::vector<std::string> &names() const { return options_.names; }
  [[nodiscard]] const EntityTable &entities() const { return entities_; }
  [[nodiscard]] ChoicePolicy choice() const { return options_.choice; }
  [[nodiscard]] const RelayLimits &limits() const { return options_.limits; }
  /// Where a listener that dialled `authority` is told to fetch its senders.
  [[nodiscard]] Authority public_address(std::string_view authority,
                                         std::uint16_t bound_port) const;

private:
  const RelayOptions options_;
  const EntityTable entities_;
};

} // namespace culvert
