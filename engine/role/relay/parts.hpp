// One policy on one shard: the policy, and this shard's plugin instances and TLS context for it.
//
// Made and destroyed on its shard, constant in between. The shard holds the parts that new
// connections begin with; a connection or channel holds those it began with.
#pragma once

#include "link/tls_context.hpp"
#include "plugin/kinds.hpp"
#include "role/relay/policy.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

struct NamedProtocol {
  std::string id; // of its plugin
  std::unique_ptr<RelayProtocol> instance;
};

struct RelayParts {
  std::shared_ptr<const RelayPolicy> policy;
  std::vector<NamedProtocol> protocols; // the first is the default when a client names no protocol
  std::unique_ptr<Auth> auth;
  std::shared_ptr<TlsContext> tls; // nullptr: plain connections, in tests only
  Log *named_log = nullptr;        // whose lines name the role; nullptr: the shard's

  /// nullptr: the policy has no such protocol.
  [[nodiscard]] const NamedProtocol *find(std::string_view id) const {
    const auto found = std::find_if(protocols.begin(), protocols.end(),
                                    [id](const NamedProtocol &each) { return each.id == id; });
    return found == protocols.end() ? nullptr : &*found;
  }
  /// The protocol with this ALPN id; the first one if none has it.
  [[nodiscard]] const NamedProtocol &for_alpn(std::string_view alpn) const {
    for (const NamedProtocol &each : protocols) {
      const std::vector<std::string> &words = each.instance->alpn();
      if (std::find(words.begin(), words.end(), alpn) != words.end()) {
        return each;
      }
    }
    return protocols.front();
  }
};

} // namespace culvert
