// Asks the auth plugin whether a token grants a right at a path of a relay.
//
// Belongs to a shard and to its owner; one question at a time. `done` runs in a later round of the
// shard, after abandon() too. It keeps alive the parts whose rules it asks about.
#pragma once

#include "role/relay/parts.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace culvert {

class Authorization {
public:
  explicit Authorization(Delegate<const Result<Grant> &> done);
  Authorization(const Authorization &) = delete;
  Authorization &operator=(const Authorization &) = delete;

  /// `path`: as asked for. `right`: kRightListen or kRightSend. False: the entity lets every sender
  /// in, whatever its token is; nothing is asked, and `done` does not run.
  [[nodiscard]] bool start(std::shared_ptr<const RelayParts> parts, std::string path,
                           std::uint32_t right, std::string_view token);
  /// Nobody waits for the answer any more; `done` runs soon, with a failure.
  void abandon() { verify_.abandon(); }
  [[nodiscard]] bool in_flight() const { return verify_.in_flight(); }
  /// The entity that the path belongs to, as configured; nullptr: the policy has none.
  [[nodiscard]] const std::string *entity() const { return match_.entity; }

private:
  void on_verified(Outcome outcome);

  const Delegate<const Result<Grant> &> done_;
  std::shared_ptr<const RelayParts> parts_;
  std::string path_;
  EntityTable::Match match_; // within the policy of the parts
  TokenCheck check_;
  VerifyToken verify_;
};

} // namespace culvert
