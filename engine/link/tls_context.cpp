#include "link/tls_context.hpp"

#include "core/assert.hpp"
#include "core/limits.hpp"
#include "crypto/openssl.hpp"
#include "link/tls_session.hpp"

#include <algorithm>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace culvert {

namespace {

// Mozilla's intermediate list without finite-field Diffie-Hellman; the client's order decides,
// because the client knows whether it has AES in hardware.
constexpr const char *kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char *kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char *kGroups = "X25519:P-256:P-384";

/// Name 16, HMAC key 32, AES key 32: what SSL_CTX_set_tlsext_ticket_keys takes.
constexpr std::size_t kTicketKeyBytes = 80;
constexpr std::size_t kSessionIdContextBytes = 16;

Secret random_secret(Random &random, std::size_t size) {
  std::string bytes(size, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return Secret::take(bytes);
}

Status unusable(const std::string &what) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string message = what + (reason == nullptr ? "" : std::string(": ") + reason);
  ERR_clear_error();
  return Status::machine(std::move(message));
}

} // namespace

TlsTickets::TlsTickets(Random &random)
    : keys_(random_secret(random, kTicketKeyBytes)),
      session_id_context_(random_secret(random, kSessionIdContextBytes)) {}

TlsContext::TlsContext(Io &io, bool server)
    : io_(io), server_(server),
      context_(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())) {
  CULVERT_ASSERT(context_ != nullptr);
  SSL_CTX_set_app_data(context_, this);
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsContext>> TlsContext::server(Io &io, const TlsServerOptions &options) {
  CULVERT_ASSERT(options.credentials != nullptr);
  std::unique_ptr<TlsContext> made(new TlsContext(io, true));
  if (Status status = made->configure(options.preset); !status.ok()) {
    return status;
  }
  if (Status status = made->use_credentials(*options.credentials); !status.ok()) {
    return status;
  }
  made->use_tickets(options.tickets);
  made->offer_alpn(options.alpn);
  return made;
}

Result<std::unique_ptr<TlsContext>> TlsContext::client(Io &io, const TlsClientOptions &options) {
  std::unique_ptr<TlsContext> made(new TlsContext(io, false));
  if (Status status = made->configure(options.preset); !status.ok()) {
    return status;
  }
  if (Status status = made->trust(options.authorities_pem); !status.ok()) {
    return status;
  }
  if (options.resume) {
    SSL_CTX_set_session_cache_mode(made->context_,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made->context_, &TlsContext::on_new_session);
  } else {
    SSL_CTX_set_session_cache_mode(made->context_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(made->context_, SSL_OP_NO_TICKET);
  }
  return made;
}

Status TlsContext::configure(TlsPreset preset) {
  const int oldest = preset == TlsPreset::kModern ? TLS1_3_VERSION : TLS1_2_VERSION;
  const bool done = SSL_CTX_set_min_proto_version(context_, oldest) == 1 &&
                    SSL_CTX_set_max_proto_version(context_, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_cipher_list(context_, kCiphers12) == 1 &&
                    SSL_CTX_set_ciphersuites(context_, kCiphers13) == 1 &&
                    SSL_CTX_set1_groups_list(context_, kGroups) == 1;
  if (!done) {
    return unusable("this OpenSSL cannot do what Culvert asks of TLS");
  }
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_clear_options(context_, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_max_early_data(context_, 0);
  // Read-ahead would consume bytes after close_notify, which belong to the link below.
  SSL_CTX_set_read_ahead(context_, 0);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_timeout(context_, kTlsSessionSec);
  return {};
}

Status TlsContext::use_credentials(const Credentials &credentials) {
  const std::vector<CertificateOwner> chain = parse_certificates(credentials.certificate_pem);
  const KeyOwner key = parse_private_key(credentials.key_pem.reveal());
  bool done = !chain.empty() && key != nullptr &&
              SSL_CTX_use_certificate(context_, chain.front().get()) == 1 &&
              SSL_CTX_use_PrivateKey(context_, key.get()) == 1;
  for (std::size_t i = 1; done && i < chain.size(); ++i) {
    done = SSL_CTX_add1_chain_cert(context_, chain[i].get()) == 1;
  }
  return done ? Status{} : unusable("the server's certificate and key cannot be used");
}

void TlsContext::use_tickets(const TlsTickets *tickets) {
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  if (tickets == nullptr) {
    SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context_, 0);
    return;
  }
  std::string keys(tickets->keys_.reveal());
  CULVERT_ASSERT(
      SSL_CTX_set_tlsext_ticket_keys(context_, keys.data(), static_cast<long>(keys.size())) == 1);
  cleanse(keys);
  const std::string_view id = tickets->session_id_context_.reveal();
  CULVERT_ASSERT(SSL_CTX_set_session_id_context(context_,
                                                reinterpret_cast<const unsigned char *>(id.data()),
                                                static_cast<unsigned>(id.size())) == 1);
  SSL_CTX_set_num_tickets(context_, 1);
}

void TlsContext::offer_alpn(const std::vector<std::string> &words) {
  for (const std::string &word : words) {
    CULVERT_ASSERT(!word.empty() && word.size() <= 255);
    alpn_.push_back(static_cast<unsigned char>(word.size()));
    alpn_.insert(alpn_.end(), word.begin(), word.end());
  }
  if (!alpn_.empty()) {
    SSL_CTX_set_alpn_select_cb(context_, &TlsContext::on_alpn, this);
  }
}

int TlsContext::on_alpn(SSL *, const unsigned char **out, unsigned char *out_size,
                        const unsigned char *in, unsigned in_size, void *context) {
  const std::vector<unsigned char> &ours = static_cast<TlsContext *>(context)->alpn_;
  unsigned char *chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours.data(), static_cast<unsigned>(ours.size()), in,
                            in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK; // a client that names only unknown protocols gets the first one
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Status TlsContext::trust(const std::string &authorities_pem) {
  if (authorities_pem.empty()) {
    return SSL_CTX_set_default_verify_paths(context_) == 1
               ? Status{}
               : unusable("the system's trusted certificates cannot be used");
  }
  const std::vector<CertificateOwner> found = parse_certificates(authorities_pem);
  bool done = !found.empty();
  for (const CertificateOwner &authority : found) {
    done = done && X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), authority.get()) == 1;
  }
  return done ? Status{} : unusable("the bundle of trusted certificates cannot be used");
}

// --- sessions -----------------------------------------------------------------------------------

void TlsContext::SessionFree::operator()(SSL_SESSION *session) const {
  SSL_SESSION_free(session);
}

int TlsContext::on_new_session(SSL *ssl, SSL_SESSION *session) {
  return static_cast<TlsSession *>(SSL_get_app_data(ssl))->keep(session) ? 1 : 0;
}

SSL_SESSION *TlsContext::find_session(const std::string &key) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) {
    return nullptr;
  }
  if (found->second.until_s <= io_.wall_s() ||
      SSL_SESSION_is_resumable(found->second.session.get()) != 1) {
    sessions_.erase(found);
    return nullptr;
  }
  return found->second.session.get();
}

void TlsContext::keep_session(const std::string &key, SSL_SESSION *session) {
  Kept kept{std::unique_ptr<SSL_SESSION, SessionFree>(session), 0};
  const std::int64_t life_s =
      std::min<std::int64_t>(SSL_SESSION_get_timeout(session), kTlsSessionSec);
  kept.until_s = io_.wall_s() + life_s;
  if (sessions_.size() >= kTlsSessions && !sessions_.contains(key)) {
    sessions_.erase(
        std::min_element(sessions_.begin(), sessions_.end(), [](const auto &a, const auto &b) {
          return a.second.until_s < b.second.until_s;
        }));
  }
  sessions_[key] = std::move(kept);
}

void TlsContext::forget_session(const std::string &key) {
  sessions_.erase(key);
}

} // namespace culvert
