#include "acquire.hpp"

#include "../glue.hpp"
#include "token.hpp"

#include "culvert/service.h"

#include <algorithm>

namespace sas {
namespace {

using culvert_glue::text;

constexpr std::int64_t kShortestLifetimeSec = 60;
constexpr std::int64_t kLongestLifetimeSec = 7LL * 24 * 3600;
/// Renewed this long before the end, or in the last quarter of a short life.
constexpr std::int64_t kRenewAheadSec = 300;

uint32_t refuse_config(culvert_status *error, std::string_view sentence) {
  return culvert_glue::fail(error, CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                            sentence);
}

} // namespace

Signer::Signer(const culvert_host *host) : host_(host) {}

uint32_t Signer::configure(culvert_status *error) {
  const auto *config = culvert_glue::service<culvert_config>(host_, CULVERT_SERVICE_CONFIG);
  key_name_ = text(config->text(host_, "key_name"));
  keys_ = {config->secret(host_, "key"), config->secret(host_, "second_key")};
  lifetime_s_ = config->integer(host_, "token_lifetime_s");
  token_ = text(config->text(host_, "signature"));
  ready_made_ = !token_.empty();
  const bool keyed = keys_[0] != 0;
  if (ready_made_ && (keyed || !key_name_.empty())) {
    return refuse_config(error, "signature is a ready token: leave out key_name and key, or it");
  }
  if (keyed != !key_name_.empty()) {
    return refuse_config(error, "key_name and key belong together: give both");
  }
  if (key_name_.size() > kKeyNameBytes) {
    return refuse_config(error, "key_name is too long: at most 256 characters");
  }
  if (keys_[1] != 0 && !keyed) {
    return refuse_config(error, "second_key needs key_name and key");
  }
  if (lifetime_s_ < kShortestLifetimeSec || lifetime_s_ > kLongestLifetimeSec) {
    return refuse_config(error, "token_lifetime_s must be from 60 to 604800");
  }
  if (ready_made_) {
    std::string_view wrong;
    const auto token = parse(token_, wrong);
    if (!token) {
      return refuse_config(error,
                           "signature is not a SharedAccessSignature token: " + std::string(wrong));
    }
    expires_s_ = token->expires_s;
    renew_after_s_ = expires_s_;
    token_id_ = 2;
  }
  return 1;
}

void Signer::acquire(culvert_acquire &record) {
  const auto *clock = culvert_glue::service<culvert_clock>(host_, CULVERT_SERVICE_CLOCK);
  const std::int64_t now = clock->wall_s(host_);
  record.status.code = CULVERT_OK;
  if (ready_made_) {
    if (now >= expires_s_) {
      culvert_glue::fail(&record.status, CULVERT_TOKEN_EXPIRED, CULVERT_SOURCE_CONFIG,
                         CULVERT_RETRY_NEVER,
                         "the ready token of the configuration has expired: give a new one");
      return;
    }
    hand_out(record);
    return;
  }
  if (keys_[0] == 0) {
    refuse_config(&record.status, "no key to sign a token with: give key_name and key");
    return;
  }
  const bool current = token_id_ != 0 && audience_ == text(record.audience) &&
                       now < renew_after_s_ && now >= expires_s_ - lifetime_s_;
  if (current || sign(record)) {
    hand_out(record);
  }
}

bool Signer::sign(culvert_acquire &record) {
  const auto *clock = culvert_glue::service<culvert_clock>(host_, CULVERT_SERVICE_CLOCK);
  const auto *secrets = culvert_glue::service<culvert_secret>(host_, CULVERT_SERVICE_SECRET);
  const std::int64_t expires_s = clock->wall_s(host_) + lifetime_s_;
  const std::string resource = percent_encode(text(record.audience));
  const std::string expiry = std::to_string(expires_s);
  std::array<std::uint8_t, 32> digest{};
  if (secrets->hmac_sha256(host_, keys_[key_], culvert_glue::view(resource + "\n" + expiry),
                           digest.data()) == 0) {
    culvert_glue::fail(&record.status, CULVERT_INTERNAL, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER,
                       "the host does not know the secret of this unit");
    return false;
  }
  const std::string signature =
      base64({reinterpret_cast<const char *>(digest.data()), digest.size()});
  token_ = "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(signature) +
           "&se=" + expiry + "&skn=" + percent_encode(key_name_);
  audience_ = text(record.audience);
  expires_s_ = expires_s;
  renew_after_s_ = expires_s - std::min(kRenewAheadSec, lifetime_s_ / 4);
  token_id_ = ++made_ * 2 + key_; // the low bit tells which key a refused token was signed with
  return true;
}

void Signer::hand_out(culvert_acquire &record) const {
  record.token = culvert_glue::put(record.arena, token_);
  record.token_id = token_id_;
  record.expires_s = expires_s_;
  record.renew_after_s = renew_after_s_;
  if (record.token.size != token_.size()) {
    culvert_glue::fail(&record.status, CULVERT_TOO_LARGE, CULVERT_SOURCE_PLUGIN,
                       CULVERT_RETRY_NEVER, "no room for the token");
  }
}

bool Signer::refused(std::uint64_t token_id) {
  if (ready_made_ || keys_[0] == 0) {
    return false;
  }
  const std::size_t signed_with = token_id & 1;
  if (token_id == 0 || token_id != token_id_) {
    return signed_with != key_; // the switch was made already
  }
  token_id_ = 0; // so that the next one is made anew
  if (keys_[1] == 0) {
    return false;
  }
  key_refused_[key_] = true;
  key_ = 1 - key_;
  const bool worth_trying = !key_refused_[key_];
  if (!worth_trying) {
    key_refused_ = {};
  }
  return worth_trying;
}

} // namespace sas
