// Tokens for those who dial: signed with one of two keys, or one that somebody else signed.
//
// Settings belong to the unit and are read by every shard; a Signer is one instance, on one shard.
// The current token is handed out until it is time to renew it: a relay that refuses several
// connections of that time refuses one token id.
#pragma once

#include "culvert/plugin.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace sas {

class Settings {
public:
  /// Throws when the settings cannot work. A relay, which only verifies, needs none.
  explicit Settings(culvert::sdk::Host host);

  std::string key_name;
  std::array<std::uint64_t, 2> keys{}; // references; 0: none
  std::int64_t lifetime_s = 0;
  std::int64_t clock_skew_s = 0; // of a relay
  std::string ready_token;       // made by somebody else; then there are no keys
  std::int64_t ready_expires_s = 0;
};

class Signer {
public:
  Signer(const Settings &settings, culvert::sdk::Host host) : settings_(settings), host_(host) {}

  void acquire(culvert_acquire &record);
  /// True when the next token is signed with another key than this one.
  bool refused(std::uint64_t token_id);

private:
  struct Current {
    std::uint64_t id = 0; // 0: there is none
    std::string audience;
    std::string text;
    std::int64_t made_s = 0;
    std::int64_t expires_s = 0;
    std::int64_t renew_after_s = 0;
  };

  void sign(std::string_view audience, std::int64_t now_s);

  const Settings &settings_;
  culvert::sdk::Host host_;
  std::size_t key_ = 0;                     // the one in use
  std::array<std::int64_t, 2> refused_s_{}; // when each was last refused; 0: not known
  std::uint64_t made_ = 0;
  Current current_;
};

} // namespace sas
