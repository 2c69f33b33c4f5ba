// Certificates: reads the operator's files, with errors that say what to do, and makes temporary
// certificates.
//
// Plain functions on PEM text and files; any thread. Everything returned is owned by the caller;
// private keys travel as Secret.
#pragma once

#include "core/random.hpp"
#include "crypto/secret.hpp"
#include "culvert/status.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// A server's certificate chain and private key.
struct Credentials {
  std::string certificate_pem; // the server's own certificate first, then its intermediates
  Secret key_pem;

  [[nodiscard]] Credentials clone() const { return {certificate_pem, key_pem.clone()}; }
};

/// What a certificate says.
struct CertificateFacts {
  std::string subject;            // common name, or the whole subject when it has none
  std::vector<std::string> names; // DNS names and IP addresses it is valid for
  std::int64_t not_before_s = 0;  // Unix seconds
  std::int64_t not_after_s = 0;
};

/// Reads and checks a server's two files: both are PEM, they belong together, and the certificate
/// is valid at `now_s`. A failure names the file and says what to do.
Result<Credentials> load_credentials(const std::string &certificate_file,
                                     const std::string &key_file, std::int64_t now_s);
/// Reads and checks a bundle of trusted certificates; the PEM text. One at least must be able to
/// vouch for a server: it is an authority's, or its own authority.
Result<std::string> load_authorities(const std::string &file);
/// Whether a client that dials `name` (a host name or IP literal) accepts the first certificate of
/// a PEM text, by the same rules as Culvert's own clients.
bool certificate_covers(std::string_view certificate_pem, const std::string &name);
/// A server's certificate is to be renewed when it ends within this time: 14 days.
inline constexpr std::int64_t kRenewCertificateSec = 1'209'600;
/// A sentence for the log if the certificate of `file` is to be renewed at `now_s`; else "".
std::string certificate_warning(const CertificateFacts &facts, const std::string &file,
                                std::int64_t now_s);
/// The first certificate of a PEM text.
Result<CertificateFacts> inspect_certificate(std::string_view certificate_pem);

enum class KeyKind : std::uint8_t {
  kEcdsaP256, // every client accepts it
  kEd25519,   // for the simulation: its signatures always have the same length
};

struct ThrowAwayOptions {
  std::vector<std::string> names; // DNS names and IP literals; at least one
  KeyKind kind = KeyKind::kEcdsaP256;
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  Random *seed = nullptr; // Ed25519: everything random comes from here, not from OpenSSL
};

struct ThrowAway {
  std::string authority_pem; // give it to the clients
  Credentials server;
};

/// Makes a certificate authority and one server certificate signed by it. The authority's key is
/// not kept.
Result<ThrowAway> make_throw_away(const ThrowAwayOptions &options);

/// Writes a new file that only its owner can read (0600); an existing file is replaced.
Status write_private_file(const std::string &file, std::string_view content);

} // namespace culvert
