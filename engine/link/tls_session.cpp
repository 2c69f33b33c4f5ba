#include "link/tls_session.hpp"

#include "core/assert.hpp"
#include "crypto/openssl.hpp"
#include "io/address.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace culvert {

namespace {

/// libssl reports a peer's alert as an error whose reason is this plus the alert's number.
constexpr int kAlertOffset = 1000;

/// libssl reads the answer of a server without TLS as a record of a version that does not exist.
bool is_no_tls() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER;
}

std::string reason_of_queue() {
  const unsigned long error = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(error);
  std::string text;
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > kAlertOffset) {
    text = std::string("the other side sent the alert '") +
           SSL_alert_desc_string_long(reason - kAlertOffset) + "'";
  } else if (const char *words = ERR_reason_error_string(error); words != nullptr) {
    text = words;
  } else {
    text = "unknown reason";
  }
  ERR_clear_error();
  return text;
}

/// Only subjectAltName counts; the common name is not a name of the server.
std::string whom_for(const X509 *certificate) {
  if (certificate == nullptr) {
    return "it shows none";
  }
  std::string words;
  for (const std::string &name : names_of(certificate)) {
    words += (words.empty() ? "it is for '" : ", '") + name + "'";
  }
  return words.empty()
             ? "it has no subjectAltName; its common name is '" + subject_of(certificate) + "'"
             : words;
}

/// What an operator can do about it.
std::string_view remedy_of(int error) {
  switch (error) {
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    return "; if its authority is the right one, name that authority's certificate as ca (--ca)";
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return "; check this machine's clock";
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return "; renew it there, or set this machine's clock right";
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return "; connect to one of its names, or have the name that is dialled put into it";
  default:
    return "";
  }
}

} // namespace

TlsSession::TlsSession(TlsContext &context, TlsWire &wire, const TlsPeer *peer)
    : context_(&context), held_context_(context.weak_from_this().lock()), wire_(wire),
      ssl_(SSL_new(context.context_)), peer_name_("a client") {
  CULVERT_ASSERT(ssl_ != nullptr && context.is_server() == (peer == nullptr));
  BIO_up_ref(wire_.bio()); // the wire keeps a reference of its own
  SSL_set_bio(ssl_, wire_.bio(), wire_.bio());
  SSL_set_app_data(ssl_, this);
  SSL_set_msg_callback(ssl_, &TlsSession::on_message);
  SSL_set_msg_callback_arg(ssl_, this);
  if (peer == nullptr) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
    expect(*peer);
  }
}

TlsSession::~TlsSession() {
  if (!failed_) { // without these flags SSL_free treats the session as broken and removes it
    SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  SSL_free(ssl_);
}

void TlsSession::expect(const TlsPeer &peer) {
  const std::string &name = peer.server_name.empty() ? peer.host : peer.server_name;
  peer_name_ = peer.host + ":" + std::to_string(peer.port);
  session_key_ = peer_name_ + "/" + name + "/" + peer.alpn;
  SSL_set_verify(ssl_, SSL_VERIFY_PEER, &TlsSession::on_verify);
  X509_VERIFY_PARAM *rules = SSL_get0_param(ssl_);
  X509_VERIFY_PARAM_set_time(rules, static_cast<std::time_t>(context_->io_.wall_s()));
  X509_VERIFY_PARAM_set_hostflags(rules, kHostFlags);
  bool done = !name.empty() && name.find('\0') == std::string::npos;
  if (const std::optional<Address> literal = Address::from_literal(name, 0)) {
    done = done && X509_VERIFY_PARAM_set1_ip_asc(rules, literal->host().c_str()) == 1;
  } else {
    done = done && X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl_, name.c_str()) == 1;
  }
  if (!done) { // no certificate can have such a name: the first step refuses it
    verify_error_ = "'" + name + "' is no host name";
  }
  if (!peer.alpn.empty()) {
    CULVERT_ASSERT(peer.alpn.size() <= 255);
    const std::string word = static_cast<char>(peer.alpn.size()) + peer.alpn;
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char *>(word.data()),
                        static_cast<unsigned>(word.size()));
  }
  if (SSL_SESSION *session = context_->find_session(session_key_)) {
    offered_session_ = SSL_set_session(ssl_, session) == 1;
  }
}

TlsSession::Step TlsSession::step() {
  if (!verify_error_.empty()) {
    failed_ = true;
    return Step::kFailed;
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    ready_ = true;
    return Step::kDone;
  }
  if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) {
    return Step::kMore;
  }
  failed_ = true;
  if (offered_session_ && context_ != nullptr) {
    context_->forget_session(session_key_); // it may be the reason
  }
  return Step::kFailed;
}

Status TlsSession::failure() {
  failed_ = true;
  const bool no_tls = !ready_ && SSL_is_server(ssl_) == 0 && is_no_tls();
  std::string message = "TLS with " + peer_name_ + " failed: " + reason_of_queue();
  if (no_tls) {
    message = "no TLS is spoken at " + peer_name_ + ": check the port";
  } else if (wire_.overflowed()) {
    message = "TLS with " + peer_name_ + " failed: more to send than a turn can hold";
  } else if (!verify_error_.empty()) {
    message = "TLS with " + peer_name_ + " failed: " + verify_error_;
  }
  return Status::failure(Code::kTls, Source::kRelay, Retry::kBackoff, std::move(message));
}

std::string_view TlsSession::alpn() const {
  const unsigned char *word = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &word, &size);
  return {reinterpret_cast<const char *>(word), size};
}

bool TlsSession::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

std::string_view TlsSession::version() const {
  return SSL_get_version(ssl_);
}

void TlsSession::note_time(std::uint64_t now_ns) {
  if (now_ns - second_begins_ns_ >= 1'000'000'000U && !flooded()) {
    second_begins_ns_ = now_ns;
    control_count_ = 0;
  }
}

bool TlsSession::keep(SSL_SESSION *session) {
  if (context_ == nullptr || SSL_SESSION_is_resumable(session) != 1) {
    return false;
  }
  context_->keep_session(session_key_, session);
  return true;
}

void TlsSession::on_message(int write, int, int type, const void *, std::size_t, SSL *,
                            void *session) {
  TlsSession &self = *static_cast<TlsSession *>(session);
  if (write != 0 || type != SSL3_RT_HANDSHAKE || !self.ready_) {
    return;
  }
  ++self.control_count_;
  if (self.flooded()) {
    self.wire_.stop_reading(); // otherwise libssl processes everything that has arrived
  }
}

int TlsSession::on_verify(int good, X509_STORE_CTX *store) {
  const auto *ssl =
      static_cast<SSL *>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto &self = *static_cast<TlsSession *>(SSL_get_app_data(ssl));
  if (good != 1 && self.verify_error_.empty()) {
    const int error = X509_STORE_CTX_get_error(store);
    self.verify_error_ =
        std::string("the certificate was refused: ") + X509_verify_cert_error_string(error) + " (" +
        whom_for(X509_STORE_CTX_get0_cert(store)) + ")" + std::string(remedy_of(error));
  }
  return good;
}

} // namespace culvert
