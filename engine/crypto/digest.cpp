#include "crypto/digest.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <cstdint>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace culvert {

namespace {

constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHexAlphabet = "0123456789abcdef";

template <std::size_t Size>
std::array<std::byte, Size> digest(EVP_MD_CTX *context, const EVP_MD *algorithm,
                                   std::span<const std::byte> data) {
  std::array<std::byte, Size> out;
  unsigned size = 0;
  const bool done =
      EVP_DigestInit_ex2(context, algorithm, nullptr) == 1 &&
      EVP_DigestUpdate(context, data.data(), data.size()) == 1 &&
      EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char *>(out.data()), &size) == 1;
  CULVERT_ASSERT(done && size == Size);
  return out;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

} // namespace

Digests::Digests()
    : sha1_(EVP_MD_fetch(nullptr, "SHA1", nullptr)),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()),
      hmac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), hmac_context_(EVP_MAC_CTX_new(hmac_)) {
  CULVERT_ASSERT(sha1_ != nullptr && sha256_ != nullptr && context_ != nullptr &&
                 hmac_context_ != nullptr);
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  CULVERT_ASSERT(EVP_MAC_CTX_set_params(hmac_context_, parameters) == 1);
}

Digests::~Digests() {
  EVP_MAC_CTX_free(hmac_context_);
  EVP_MAC_free(hmac_);
  EVP_MD_CTX_free(context_);
  EVP_MD_free(sha256_);
  EVP_MD_free(sha1_);
}

Sha1Bytes Digests::sha1(std::span<const std::byte> data) {
  return digest<std::tuple_size_v<Sha1Bytes>>(context_, sha1_, data);
}

Sha256Bytes Digests::sha256(std::span<const std::byte> data) {
  return digest<std::tuple_size_v<Sha256Bytes>>(context_, sha256_, data);
}

Sha256Bytes Digests::hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data) {
  static constexpr unsigned char kNoKey = 0; // a null key would mean "the one before"
  const unsigned char *start =
      key.empty() ? &kNoKey : reinterpret_cast<const unsigned char *>(key.data());
  Sha256Bytes out;
  std::size_t size = 0;
  const bool done =
      EVP_MAC_init(hmac_context_, start, key.size(), nullptr) == 1 &&
      EVP_MAC_update(hmac_context_, reinterpret_cast<const unsigned char *>(data.data()),
                     data.size()) == 1 &&
      EVP_MAC_final(hmac_context_, reinterpret_cast<unsigned char *>(out.data()), &size,
                    out.size()) == 1;
  CULVERT_ASSERT(done && size == out.size());
  return out;
}

std::string base64(std::span<const std::byte> data) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, data.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (j < count ? std::to_integer<std::uint32_t>(data[i + j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= count ? kBase64Alphabet[group >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return out;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  std::vector<std::byte> out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const int value = base64_value(c);
    if (value < 0) {
      return std::nullopt;
    }
    bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFU;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<std::byte>(bits >> have & 0xFFU));
    }
  }
  if ((bits & ((1U << have) - 1U)) != 0) {
    return std::nullopt;
  }
  return out;
}

std::string hex(std::span<const std::byte> data) {
  std::string out;
  out.reserve(data.size() * 2);
  for (const std::byte byte : data) {
    const auto value = std::to_integer<unsigned>(byte);
    out += kHexAlphabet[value >> 4U];
    out += kHexAlphabet[value & 15U];
  }
  return out;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  std::vector<std::byte> out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    out.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return out;
}

bool equal_in_constant_time(std::span<const std::byte> left, std::span<const std::byte> right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

} // namespace culvert
