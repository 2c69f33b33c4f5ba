#include "crypto/certificate.hpp"

#include "core/limits.hpp"
#include "core/regular_file.hpp"
#include "crypto/openssl.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

namespace culvert {

namespace {

BioOwner memory_of(std::string_view text) {
  return BioOwner(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Replaces libcrypto's own callback, which would ask at the terminal.
int no_passphrase(char *, int, int, void *) {
  return -1;
}

std::int64_t unix_seconds(const ASN1_TIME *time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

std::string utc_date(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text, size};
}

std::string ip_text(std::string_view raw) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(raw.size() == 4 ? AF_INET : AF_INET6, raw.data(), text, sizeof text);
  return text;
}

Result<std::string> read_file(const std::string &file, std::string_view what) {
  RegularFile read = read_regular_file(file, kPemFileBytes);
  if (!read.why_not.empty()) {
    return Status::machine("cannot read the " + std::string(what) + " '" + file +
                           "': " + read.why_not + "; name a PEM file this user may read");
  }
  if (read.too_large) {
    return Status::machine("cannot read the " + std::string(what) + " '" + file +
                           "': it is no PEM file");
  }
  return std::move(read.content);
}

Status no_certificate(const std::string &file, std::string_view content) {
  constexpr char kDerSequence = 0x30;
  if (content.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    return Status::machine("'" + file +
                           "' holds a certificate that is cut off or damaged; copy the file again");
  }
  const bool binary = !content.empty() && content.front() == kDerSequence;
  return Status::machine(
      "'" + file + "' holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)" +
      (binary ? "; if it is DER, convert it with openssl x509 -inform DER" : ""));
}

Status check_validity(const CertificateFacts &facts, const std::string &file, std::int64_t now_s) {
  if (now_s > facts.not_after_s) {
    return Status::machine("the certificate '" + file + "' expired at " +
                           utc_date(facts.not_after_s) + "; renew it");
  }
  if (now_s < facts.not_before_s) {
    return Status::machine("the certificate '" + file + "' is not valid before " +
                           utc_date(facts.not_before_s) + "; check this machine's clock");
  }
  return {};
}

/// OpenSSL's security level 2, Debian's default; clients refuse weaker keys.
Status check_strength(const EVP_PKEY *key, const std::string &certificate_file) {
  constexpr int kLeastBits = 112;
  if (EVP_PKEY_get_security_bits(key) >= kLeastBits) {
    return {};
  }
  const bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  return Status::machine("the key of the certificate '" + certificate_file + "' is too weak (" +
                         std::to_string(EVP_PKEY_get_bits(key)) + " bits" + (rsa ? " of RSA" : "") +
                         "); make both anew, with a key of 2048 bits of RSA or more, or of P-256");
}

/// An authority's certificate, or one that nobody else signed: then it vouches for itself.
bool can_vouch(X509 *certificate) {
  const bool vouches = X509_check_ca(certificate) != 0 || X509_self_signed(certificate, 0) == 1;
  ERR_clear_error();
  return vouches;
}

} // namespace

std::vector<CertificateOwner> parse_certificates(std::string_view pem) {
  const BioOwner memory = memory_of(pem);
  std::vector<CertificateOwner> found;
  while (X509 *certificate = PEM_read_bio_X509(memory.get(), nullptr, no_passphrase, nullptr)) {
    found.emplace_back(certificate);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) {
    found.clear();
  }
  return found;
}

KeyOwner parse_private_key(std::string_view pem) {
  const BioOwner memory = memory_of(pem);
  KeyOwner key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

std::vector<std::string> names_of(const X509 *certificate) {
  std::vector<std::string> names;
  auto *all = static_cast<GENERAL_NAMES *>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
    const int ip_size = name->type == GEN_IPADD ? ASN1_STRING_length(name->d.iPAddress) : 0;
    if (name->type != GEN_DNS && ip_size != 4 && ip_size != 16) {
      continue;
    }
    const ASN1_STRING *value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const std::string_view raw(reinterpret_cast<const char *>(ASN1_STRING_get0_data(value)),
                               static_cast<std::size_t>(ASN1_STRING_length(value)));
    names.push_back(name->type == GEN_DNS ? std::string(raw) : ip_text(raw));
  }
  GENERAL_NAMES_free(all);
  return names;
}

std::string subject_of(const X509 *certificate) {
  const X509_NAME *subject = X509_get_subject_name(certificate);
  char text[256] = "";
  if (X509_NAME_get_text_by_NID(subject, NID_commonName, text, sizeof text) <= 0) {
    X509_NAME_oneline(subject, text, sizeof text);
  }
  return text;
}

Result<CertificateFacts> inspect_certificate(std::string_view certificate_pem) {
  const std::vector<CertificateOwner> found = parse_certificates(certificate_pem);
  if (found.empty()) {
    return Status::config("no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  }
  const X509 *first = found.front().get();
  return CertificateFacts{subject_of(first), names_of(first),
                          unix_seconds(X509_get0_notBefore(first)),
                          unix_seconds(X509_get0_notAfter(first))};
}

bool certificate_covers(std::string_view certificate_pem, const std::string &name) {
  constexpr int kNoIpLiteral = -2;
  const std::vector<CertificateOwner> found = parse_certificates(certificate_pem);
  if (found.empty()) {
    return false;
  }
  int match = X509_check_ip_asc(found.front().get(), name.c_str(), 0);
  if (match == kNoIpLiteral) {
    match = X509_check_host(found.front().get(), name.data(), name.size(), kHostFlags, nullptr);
  }
  ERR_clear_error();
  return match == 1;
}

std::string certificate_warning(const CertificateFacts &facts, const std::string &file,
                                std::int64_t now_s) {
  constexpr std::int64_t kDaySec = 86'400;
  const std::int64_t left_s = facts.not_after_s - now_s;
  if (left_s > kRenewCertificateSec) {
    return "";
  }
  const std::int64_t days = left_s / kDaySec;
  return "the certificate '" + file + "' ends at " + utc_date(facts.not_after_s) + ", in " +
         (days < 1 ? "less than a day" : std::to_string(days) + (days == 1 ? " day" : " days")) +
         "; renew it";
}

Result<Credentials> load_credentials(const std::string &certificate_file,
                                     const std::string &key_file, std::int64_t now_s) {
  Result<std::string> certificate = read_file(certificate_file, "certificate");
  if (!certificate.ok()) {
    return certificate.status();
  }
  Result<std::string> key_text = read_file(key_file, "private key");
  if (!key_text.ok()) {
    return key_text.status();
  }
  Credentials credentials{std::move(certificate.value()), Secret::take(key_text.value())};
  const std::vector<CertificateOwner> chain = parse_certificates(credentials.certificate_pem);
  if (chain.empty()) {
    return no_certificate(certificate_file, credentials.certificate_pem);
  }
  const KeyOwner key = parse_private_key(credentials.key_pem.reveal());
  if (key == nullptr) {
    return Status::machine("'" + key_file +
                           "' holds no private key in PEM form without a passphrase "
                           "(-----BEGIN PRIVATE KEY-----)");
  }
  const bool match = X509_check_private_key(chain.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!match) {
    return Status::machine("the private key '" + key_file +
                           "' does not belong to the certificate '" + certificate_file + "' (" +
                           subject_of(chain.front().get()) +
                           "), which must be the first in its file");
  }
  if (Status status = check_strength(key.get(), certificate_file); !status.ok()) {
    return status;
  }
  const Result<CertificateFacts> facts = inspect_certificate(credentials.certificate_pem);
  if (Status status = check_validity(facts.value(), certificate_file, now_s); !status.ok()) {
    return status;
  }
  return credentials;
}

Result<std::string> load_authorities(const std::string &file) {
  Result<std::string> content = read_file(file, "bundle of trusted certificates");
  if (!content.ok()) {
    return content;
  }
  const std::vector<CertificateOwner> found = parse_certificates(content.value());
  if (found.empty()) {
    return no_certificate(file, content.value());
  }
  if (std::none_of(found.begin(), found.end(),
                   [](const CertificateOwner &each) { return can_vouch(each.get()); })) {
    return Status::machine("'" + file +
                           "' holds no certificate of an authority (CA:FALSE); name the "
                           "certificate of the authority that signed the relay's, for example "
                           "ca.pem");
  }
  return content;
}

Status write_private_file(const std::string &file, std::string_view content) {
  // Writes a new file under another name first: an existing file may have wider permissions, or
  // processes that read it.
  const std::string fresh = file + ".new";
  ::unlink(fresh.c_str());
  const int descriptor =
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = descriptor >= 0;
  while (written && !content.empty()) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    written = count > 0;
    content.remove_prefix(written ? static_cast<std::size_t>(count) : 0);
  }
  int error = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (written && ::rename(fresh.c_str(), file.c_str()) == 0) {
    return {};
  }
  error = written ? errno : error;
  if (descriptor >= 0) {
    ::unlink(fresh.c_str());
  }
  return Status::machine("cannot write '" + file + "': " + std::strerror(error));
}

} // namespace culvert
