// The session of a TLS link: handshake, verification and resumption with libssl.
//
// Belongs to one link and must not move. It owns the SSL object, which the record stream
// (tls_records.hpp) uses after the handshake.
#pragma once

#include "core/limits.hpp"
#include "culvert/status.hpp"
#include "link/tls_context.hpp"
#include "link/tls_wire.hpp"

#include <cstdint>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_session_st;
struct x509_store_ctx_st;

namespace culvert {

class TlsSession {
public:
  enum class Step : std::uint8_t { kDone, kMore, kFailed };

  /// `peer` is nullptr on a server.
  TlsSession(TlsContext &context, TlsWire &wire, const TlsPeer *peer);
  TlsSession(const TlsSession &) = delete;
  TlsSession &operator=(const TlsSession &) = delete;
  /// The session stays resumable unless TLS itself failed, however the link ended.
  ~TlsSession();

  [[nodiscard]] ssl_st *ssl() const { return ssl_; }
  /// Continues with the bytes that the wire has.
  Step step();
  /// Why a step or the record stream failed: one sentence with reason, certificate and alert.
  Status failure();
  /// The peer's name in messages: "relay.example:443", or "a client".
  [[nodiscard]] const std::string &peer_name() const { return peer_name_; }

  [[nodiscard]] std::string_view alpn() const;
  [[nodiscard]] bool resumed() const;
  /// "TLSv1.3".
  [[nodiscard]] std::string_view version() const;

  /// Starts a new second of the flood limit, unless the current one has not passed.
  void note_time(std::uint64_t now_ns);
  /// True after more than kTlsControlPerSecond handshake messages in one second after the
  /// handshake.
  [[nodiscard]] bool flooded() const { return control_count_ > kTlsControlPerSecond; }
  /// The link leaves the context's shard.
  void leave_context() {
    context_ = nullptr;
    held_context_.reset();
  }

private:
  friend class TlsContext;
  void expect(const TlsPeer &peer);
  /// True when the context took the session over.
  bool keep(ssl_session_st *session);
  static void on_message(int write, int version, int type, const void *bytes, std::size_t size,
                         ssl_st *ssl, void *session);
  static int on_verify(int good, x509_store_ctx_st *store);

  TlsContext *context_;
  std::shared_ptr<TlsContext> held_context_; // keeps the context alive, if a shared_ptr owns it
  TlsWire &wire_;
  ssl_st *ssl_;
  std::string peer_name_;
  std::string session_key_;
  std::string verify_error_; // with the certificate's name
  bool offered_session_ = false;
  bool ready_ = false;
  bool failed_ = false;
  std::uint32_t control_count_ = 0;
  std::uint64_t second_begins_ns_ = 0;
};

} // namespace culvert
