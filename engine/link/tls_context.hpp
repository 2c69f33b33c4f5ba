// What all TLS links of one shard and one purpose share: preset, certificates, sessions to resume.
//
// A TlsContext belongs to one shard and must live longer than the links made from it there; if a
// shared_ptr owns it, the links keep it alive. A link that moved to another shard does not need it
// any more. TlsTickets do not change after they are made: the contexts of one purpose use the same
// ones on every shard, so that a ticket from one shard resumes at another. A client context owns
// the sessions it may resume.
#pragma once

#include "core/random.hpp"
#include "crypto/certificate.hpp"
#include "crypto/secret.hpp"
#include "culvert/status.hpp"
#include "io/io.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace culvert {

/// After Mozilla's guideline: TLS 1.2 and 1.3, or 1.3 alone.
enum class TlsPreset : std::uint8_t { kIntermediate, kModern };

/// The keys of the tickets of one purpose.
class TlsTickets {
public:
  explicit TlsTickets(Random &random);

private:
  friend class TlsContext;
  Secret keys_;
  Secret session_id_context_;
};

struct TlsServerOptions {
  TlsPreset preset = TlsPreset::kIntermediate;
  const Credentials *credentials = nullptr; // copied
  const TlsTickets *tickets = nullptr;      // copied; nullptr: nothing can be resumed
  std::vector<std::string> alpn;            // in the order of preference
};

struct TlsClientOptions {
  TlsPreset preset = TlsPreset::kIntermediate;
  std::string authorities_pem; // trusted instead of the system's store, unless empty
  bool resume = true;
};

/// The server that a client link expects.
struct TlsPeer {
  std::string host; // as dialled: a name or an IP literal
  std::uint16_t port = 0;
  std::string server_name; // for SNI and verification; empty: the host
  std::string alpn;        // one protocol id, or none
};

class TlsContext : public std::enable_shared_from_this<TlsContext> {
public:
  static Result<std::unique_ptr<TlsContext>> server(Io &io, const TlsServerOptions &options);
  static Result<std::unique_ptr<TlsContext>> client(Io &io, const TlsClientOptions &options);
  TlsContext(const TlsContext &) = delete;
  TlsContext &operator=(const TlsContext &) = delete;
  ~TlsContext();

  [[nodiscard]] bool is_server() const { return server_; }
  /// Sessions kept now.
  [[nodiscard]] std::size_t session_count() const { return sessions_.size(); }

private:
  friend class TlsSession;
  TlsContext(Io &io, bool server);
  Status configure(TlsPreset preset);
  Status use_credentials(const Credentials &credentials);
  void use_tickets(const TlsTickets *tickets);
  void offer_alpn(const std::vector<std::string> &words);
  Status trust(const std::string &authorities_pem);

  /// The session to resume, or nullptr; the context still owns it.
  ssl_session_st *find_session(const std::string &key);
  /// Takes the session over.
  void keep_session(const std::string &key, ssl_session_st *session);
  void forget_session(const std::string &key);
  static int on_new_session(ssl_st *ssl, ssl_session_st *session);
  static int on_alpn(ssl_st *ssl, const unsigned char **out, unsigned char *out_size,
                     const unsigned char *in, unsigned in_size, void *context);

  struct SessionFree {
    void operator()(ssl_session_st *session) const;
  };
  struct Kept {
    std::unique_ptr<ssl_session_st, SessionFree> session;
    std::int64_t until_s = 0; // Io::wall_s()
  };

  Io &io_;
  const bool server_;
  ssl_ctx_st *context_;
  std::vector<unsigned char> alpn_; // each protocol id after its length
  std::map<std::string, Kept> sessions_;
};

} // namespace culvert
