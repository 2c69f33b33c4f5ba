#include "acquire.hpp"

#include "token.hpp"

#include <algorithm>

namespace sas {
namespace {

using culvert::sdk::text;

constexpr std::int64_t kShortestLifetimeSec = 60;
constexpr std::int64_t kLongestLifetimeSec = 7LL * 24 * 3600;
constexpr std::int64_t kLongestSkewSec = 24LL * 3600;
constexpr std::uint64_t kReadyTokenId = 1;
/// So long is a key that was refused not worth another try. Later the relay may take it again: its
/// operator may have put it back, and nobody tells this plugin which token was taken.
constexpr std::int64_t kRefusedSec = 60;

[[noreturn]] void refuse(culvert_code code, std::string sentence) {
  throw culvert::sdk::Error(code, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER, std::move(sentence));
}

} // namespace

Settings::Settings(culvert::sdk::Host host)
    : key_name(host.config_text("key_name")), keys{host.config_secret("key"),
                                                   host.config_secret("second_key")},
      lifetime_s(host.config_integer("token_lifetime_s")),
      clock_skew_s(host.config_integer("clock_skew_s")),
      ready_token(host.config_text("signature")) {
  const bool keyed = keys[0] != 0;
  if (!ready_token.empty() && (keyed || keys[1] != 0 || !key_name.empty())) {
    refuse(CULVERT_CONFIG, "signature is a ready token: give either it, or key_name and key");
  }
  if (keyed == key_name.empty()) {
    refuse(CULVERT_CONFIG, "key_name and key belong together: give both");
  }
  if (keys[1] != 0 && !keyed) {
    refuse(CULVERT_CONFIG, "second_key stands beside a first one: give key_name and key too");
  }
  if (key_name.size() > kKeyNameBytes) {
    refuse(CULVERT_CONFIG, "key_name is too long: at most 256 characters");
  }
  if (lifetime_s < kShortestLifetimeSec || lifetime_s > kLongestLifetimeSec) {
    refuse(CULVERT_CONFIG, "token_lifetime_s must be a number from 60 to 604800");
  }
  if (clock_skew_s < 0 || clock_skew_s > kLongestSkewSec) {
    refuse(CULVERT_CONFIG, "clock_skew_s must be a number from 0 to 86400");
  }
  if (!ready_token.empty()) {
    std::string_view wrong;
    const auto token = parse(ready_token, wrong);
    if (!token) {
      refuse(CULVERT_TOKEN_MALFORMED,
             "signature (a connection string's SharedAccessSignature) is no token: " +
                 std::string(wrong));
    }
    ready_expires_s = token->expires_s;
  }
}

void Signer::acquire(culvert_acquire &record) {
  const std::int64_t now_s = host_.wall_s();
  if (!settings_.ready_token.empty()) {
    if (now_s >= settings_.ready_expires_s) {
      refuse(CULVERT_TOKEN_EXPIRED,
             "signature (a connection string's SharedAccessSignature) has expired: give a new one");
    }
    const std::int64_t end_s = settings_.ready_expires_s;
    current_ = {kReadyTokenId, {}, settings_.ready_token, now_s, end_s, end_s};
  } else if (settings_.keys[0] == 0) {
    refuse(CULVERT_CONFIG, "there is no key to sign a token with: give key_name and key");
  } else if (current_.id == 0 || current_.audience != text(record.audience) ||
             now_s >= current_.renew_after_s || now_s < current_.made_s) {
    sign(text(record.audience), now_s);
  }
  record.token = culvert::sdk::Arena(record.arena).copy(current_.text);
  record.token_id = current_.id;
  record.expires_s = current_.expires_s;
  record.renew_after_s = current_.renew_after_s;
}

void Signer::sign(std::string_view audience, std::int64_t now_s) {
  const std::int64_t expires_s = now_s + settings_.lifetime_s;
  const std::string resource = percent_encode(audience);
  const std::string expiry = std::to_string(expires_s);
  std::array<std::uint8_t, 32> digest{};
  if (!host_.hmac_sha256(settings_.keys[key_], resource + "\n" + expiry, digest.data())) {
    throw culvert::sdk::Error(CULVERT_INTERNAL, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER,
                              "the host does not know the key of this unit");
  }
  const std::string signature =
      base64({reinterpret_cast<const char *>(digest.data()), digest.size()});
  current_.text = "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(signature) +
                  "&se=" + expiry + "&skn=" + percent_encode(settings_.key_name);
  current_.audience = audience;
  current_.made_s = now_s;
  current_.expires_s = expires_s;
  current_.renew_after_s = expires_s - settings_.lifetime_s / 4; // so at three quarters of its life
  current_.id = ++made_ * 2 + key_; // the low bit tells which key a refused token was signed with
}

bool Signer::refused(std::uint64_t token_id) {
  if (settings_.keys[1] == 0) {
    // The same key signs again: this clock may have been corrected in the meantime.
    current_.id = token_id == current_.id ? 0 : current_.id;
    return false;
  }
  if (token_id == 0 || token_id != current_.id) {
    return token_id != 0 && (token_id & 1) != key_; // the other key is in use already
  }
  current_.id = 0;
  const std::int64_t now_s = host_.wall_s();
  refused_s_[key_] = now_s;
  key_ = 1 - key_;
  const std::int64_t since_s = now_s - refused_s_[key_];
  const bool worth_trying =
      since_s < 0 || since_s >= kRefusedSec; // negative: the clock was set back
  if (!worth_trying) {
    refused_s_ = {};
  }
  return worth_trying;
}

} // namespace sas
