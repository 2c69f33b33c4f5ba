// Owning pointers to OpenSSL objects. Only crypto/ and link/tls* may use them.
//
// Each owner frees its object; OpenSSL's own reference counts are thread-safe, the owners are not.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

template <auto Free> struct OpenSslFree {
  template <typename T> void operator()(T *object) const { Free(object); }
};

using BioOwner = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;
using KeyOwner = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using CertificateOwner = std::unique_ptr<X509, OpenSslFree<X509_free>>;

/// Every certificate of a PEM text; empty if it has none, or if one of them cannot be read.
std::vector<CertificateOwner> parse_certificates(std::string_view pem);
/// The private key of a PEM text; nullptr when there is none, or when it needs a passphrase.
KeyOwner parse_private_key(std::string_view pem);
/// Common name, or the whole subject when it has none.
std::string subject_of(const X509 *certificate);
/// DNS names and IP addresses of its subjectAltName; no other name counts (RFC 9525).
std::vector<std::string> names_of(const X509 *certificate);
/// X509_check_host() and verification with a name: no name but one of subjectAltName counts.
inline constexpr unsigned kHostFlags =
    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

} // namespace culvert
