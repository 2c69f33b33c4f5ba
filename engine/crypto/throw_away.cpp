#include "core/assert.hpp"
#include "crypto/certificate.hpp"
#include "crypto/openssl.hpp"

#include <arpa/inet.h>
#include <array>
#include <ctime>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

namespace culvert {

namespace {

template <std::size_t Size> std::array<unsigned char, Size> random_bytes(Random *seed) {
  std::array<unsigned char, Size> bytes;
  if (seed != nullptr) {
    seed->fill(std::as_writable_bytes(std::span(bytes)));
  } else {
    CULVERT_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(Size)) == 1);
  }
  return bytes;
}

KeyOwner make_key(const ThrowAwayOptions &options) {
  if (options.kind == KeyKind::kEcdsaP256) {
    return KeyOwner(EVP_EC_gen("P-256"));
  }
  std::array<unsigned char, 32> seed = random_bytes<32>(options.seed);
  KeyOwner key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

void add_extension(X509 *certificate, const X509 *issuer, int nid, const std::string &value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509 *>(issuer), certificate, nullptr, nullptr, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CULVERT_ASSERT(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

/// Names go in as values, not through OpenSSL's configuration syntax, where a comma is an operator.
void add_names(X509 *certificate, const std::vector<std::string> &names) {
  GENERAL_NAMES *all = GENERAL_NAMES_new();
  for (const std::string &name : names) {
    std::array<unsigned char, 16> raw{};
    const int size = inet_pton(AF_INET, name.c_str(), raw.data()) == 1    ? 4
                     : inet_pton(AF_INET6, name.c_str(), raw.data()) == 1 ? 16
                                                                          : 0;
    GENERAL_NAME *entry = GENERAL_NAME_new();
    if (size > 0) {
      ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
      ASN1_OCTET_STRING_set(value, raw.data(), size);
      GENERAL_NAME_set0_value(entry, GEN_IPADD, value);
    } else {
      ASN1_IA5STRING *value = ASN1_IA5STRING_new();
      ASN1_STRING_set(value, name.data(), static_cast<int>(name.size()));
      GENERAL_NAME_set0_value(entry, GEN_DNS, value);
    }
    sk_GENERAL_NAME_push(all, entry);
  }
  CULVERT_ASSERT(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, 0) == 1);
  GENERAL_NAMES_free(all);
}

CertificateOwner begin_certificate(const ThrowAwayOptions &options, const std::string &name,
                                   EVP_PKEY *key) {
  CertificateOwner certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::array<unsigned char, 16> serial = random_bytes<16>(options.seed);
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7FU) | 0x40U); // positive, one length
  BIGNUM *number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()),
                static_cast<std::time_t>(options.not_before_s));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()),
                static_cast<std::time_t>(options.not_after_s));
  X509_NAME *subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char *>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509 *certificate, EVP_PKEY *key) {
  const EVP_MD *digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  CULVERT_ASSERT(X509_sign(certificate, key, digest) > 0);
}

std::string pem_of(BIO *memory) {
  char *data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string certificate_pem(X509 *certificate) {
  const BioOwner memory(BIO_new(BIO_s_mem()));
  CULVERT_ASSERT(PEM_write_bio_X509(memory.get(), certificate) == 1);
  return pem_of(memory.get());
}

Secret key_pem(EVP_PKEY *key) {
  const BioOwner memory(BIO_new(BIO_s_secmem()));
  CULVERT_ASSERT(
      PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::string text = pem_of(memory.get());
  return Secret::take(text);
}

} // namespace

Result<ThrowAway> make_throw_away(const ThrowAwayOptions &options) {
  if (options.names.empty() || options.not_after_s <= options.not_before_s) {
    return Status::config("a certificate needs at least one name and an end behind its beginning");
  }
  const KeyOwner authority_key = make_key(options);
  const KeyOwner server_key = make_key(options);
  if (authority_key == nullptr || server_key == nullptr) {
    ERR_clear_error();
    return Status::failure(Code::kInternal, Source::kLocal, Retry::kNever,
                           "OpenSSL could not make a key");
  }
  const CertificateOwner authority =
      begin_certificate(options, "Culvert throw-away authority", authority_key.get());
  X509_set_issuer_name(authority.get(), X509_get_subject_name(authority.get()));
  add_extension(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
  sign(authority.get(), authority_key.get());

  const CertificateOwner server =
      begin_certificate(options, options.names.front(), server_key.get());
  X509_set_issuer_name(server.get(), X509_get_subject_name(authority.get()));
  add_extension(server.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(server.get(), authority.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(server.get(), authority.get(), NID_ext_key_usage, "serverAuth");
  add_extension(server.get(), authority.get(), NID_authority_key_identifier, "keyid:always");
  add_names(server.get(), options.names);
  sign(server.get(), authority_key.get());
  return ThrowAway{certificate_pem(authority.get()),
                   {certificate_pem(server.get()), key_pem(server_key.get())}};
}

} // namespace culvert
