#include "crypto/secret.hpp"
#include "plugin/host.hpp"

#include <cstring>

namespace culvert {

namespace {

uint32_t hmac_sha256(const culvert_host *host, uint64_t secret, culvert_view data,
                     uint8_t digest[32]) {
  const PluginHost &self = PluginHost::of(host);
  const std::shared_ptr<const Secret> key =
      self.secrets == nullptr ? nullptr : self.secrets->find(secret);
  if (key == nullptr || digest == nullptr || (data.data == nullptr && data.size > 0)) {
    return 0;
  }
  const Sha256Bytes bytes =
      self.digests.hmac_sha256(key->bytes(), bytes_of({data.data, data.size}));
  std::memcpy(digest, bytes.data(), bytes.size());
  return 1;
}

} // namespace

constexpr culvert_secret kSecretService{sizeof(culvert_secret), 0, &hmac_sha256};

} // namespace culvert
