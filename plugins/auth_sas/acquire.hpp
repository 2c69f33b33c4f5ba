// Tokens for those who dial: signed with one of two keys, or one that somebody else signed.
//
// Belongs to one instance, and so to one shard. The current token is handed out until it is time to
// renew it, so all connections of that time are refused, if they are, under one token id.
#pragma once

#include "culvert/auth.h"

#include <array>
#include <cstdint>
#include <string>

namespace sas {

class Signer {
public:
  explicit Signer(const culvert_host *host);
  /// 0 with a status when the configuration cannot work.
  uint32_t configure(culvert_status *error);

  void acquire(culvert_acquire &record);
  /// True when the next token is signed with a key that this token was not.
  bool refused(std::uint64_t token_id);
  [[nodiscard]] const culvert_host *host() const { return host_; }

private:
  bool sign(culvert_acquire &record);
  void hand_out(culvert_acquire &record) const;

  const culvert_host *host_;
  std::string key_name_;
  std::array<std::uint64_t, 2> keys_{}; // references; 0: none
  std::int64_t lifetime_s_ = 0;
  bool ready_made_ = false;
  std::size_t key_ = 0;               // the one in use
  std::array<bool, 2> key_refused_{}; // since the other one came into use
  std::uint64_t made_ = 0;
  std::uint64_t token_id_ = 0; // the current one's; 0: none
  std::string audience_;
  std::string token_;
  std::int64_t expires_s_ = 0;
  std::int64_t renew_after_s_ = 0;
};

} // namespace sas
