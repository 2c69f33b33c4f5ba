// One outgoing connection, from a name to a link that carries chunks: authorize, resolve, dial, ask
// the HTTP proxy if there is one (then the name and the dial are those of the proxy), TLS, send the
// transport's first message, and let the transport judge the answer.
//
// Belongs to a shard and to its owner; runs one connection at a time and may be used again after.
// When `done` runs with a failure, everything that it opened is closed. Used by listeners (control
// channel, accept, reject) and senders (dial).
#pragma once

#include "crypto/digest.hpp"
#include "link/dial.hpp"
#include "link/head_reader.hpp"
#include "link/head_writer.hpp"
#include "link/tls.hpp"
#include "plugin/kinds.hpp"
#include "role/proxy.hpp"
#include "tunnel/steps.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace culvert {

/// What a listener or sender needs on one shard to reach its relay. A copy keeps it alive.
struct ClientKit {
  Shard &shard;
  Transport &transport;
  Auth &auth;
  Resolver &resolver;
  TlsContext *tls; // nullptr: everything plain, in the simulation only
  Digests &digests;
  const ClientLimits *limits = &kStandardLimits;
  std::shared_ptr<const void> held = nullptr; // owns the rest; nullptr: the caller does
  std::string_view rule = {};                 // whose key signs; empty: a ready token
  const Proxy *proxy = nullptr;               // on the way to the relay; nullptr: none
  Log *named_log = nullptr;                   // whose lines name the role; nullptr: the shard's

  [[nodiscard]] Log &log() const { return named_log == nullptr ? shard.log : *named_log; }

  /// Becomes a copy of the other; references cannot be assigned.
  void become(const ClientKit &other) {
    ClientKit copy = other; // this may own what `other` refers to
    std::destroy_at(this);
    std::construct_at(this, std::move(copy));
  }

  static constexpr ClientLimits kStandardLimits{};
};

/// Whether there was no answer on the connection, or none of a relay. A refusal is an answer.
bool shows_no_relay(const Status &status);

class Outbound {
public:
  Outbound(const ClientKit &kit, Delegate<Outbound &> done);
  Outbound(const Outbound &) = delete;
  Outbound &operator=(const Outbound &) = delete;

  /// To an entity (kListen or kDial), with a fresh token. `id`: see Transport::listen().
  /// `app`: the address of the app, for the listener; may be empty.
  void start(Purpose purpose, const EntityAddress &entity, std::string id, std::string app = {});
  /// As kDial, but only to prove the token and the relay: no link is left of it. a code that
  /// meets_nobody() is a proof too. Where the protocol has no proof it ends behind TLS.
  void prove(const EntityAddress &entity, std::string id);
  /// To the address in an offer (kAccept or kReject). `id` is for the log.
  void start(Purpose purpose, LinkDescription description, std::string id);
  /// For connections that start after this; nothing may be running.
  void use(const ClientKit &kit) {
    CULVERT_ASSERT(!running());
    kit_.become(kit);
  }
  /// Ends it early for this reason; done still runs.
  void cancel(Status why) { steps_.cancel(std::move(why)); }
  [[nodiscard]] bool running() const { return steps_.running() || dropping_.in_flight(); }

  // --- when done has run --------------------------------------------------------------------
  /// Success, or who refused (source) and what trying again needs (retry).
  [[nodiscard]] const Status &status() const { return status_; }
  /// Tells the auth plugin that its token was refused; true if the caller should dial again with
  /// another one.
  [[nodiscard]] bool has_other_token() { return kit_.auth.refused(token_.id); }
  /// The one that was shown, without its text.
  [[nodiscard]] const Token &token() const { return token_; }
  [[nodiscard]] const FramingOptions &framing() const { return description_.framing; }
  /// The framed link, once, after success; nullptr after a reject.
  std::unique_ptr<Link> take_link() { return std::move(link_); }

private:
  using Table = std::array<Step<Outbound>, 6>;
  static constexpr Table steps_with(std::uint64_t (Outbound::*upgrade_ms)() const);
  static const Table kAnsweredAtOnce;
  static const Table kAwaitsListener;
  [[nodiscard]] std::uint64_t handshake_ms() const { return kit_.limits->handshake_ms; }
  [[nodiscard]] std::uint64_t upgrade_ms() const { return kit_.limits->upgrade_ms; }
  [[nodiscard]] std::uint64_t proxy_ms() const { return kit_.limits->proxy_ms; }
  [[nodiscard]] std::uint64_t two_dials_ms() const { return 2 * kit_.limits->relay_dial_ms; }

  void start_authorize();
  void start_resolve();
  void start_dial();
  void start_connect();
  void start_tls();
  void start_upgrade();
  void cancel_authorize() { acquire_.abandon(); }
  void cancel_resolve() { resolve_.abandon(); }
  void cancel_dial() { dial_.cancel(); }
  void cancel_tls();
  void cancel_head();

  void on_token(Outcome outcome);
  void on_resolved(Outcome outcome);
  void on_dialled(Result<Socket> socket);
  void on_asked();
  void on_proxy_heard();
  void on_tls(Outcome outcome);
  void on_said();
  void on_heard();
  Result<LinkDescription> describe(const std::string &token);
  Result<std::string> first_words();
  Result<Reply> understood();
  void judge(const Reply &reply);
  void say(std::string bytes);
  void frame();
  void on_steps_done(const Status &status);
  void on_dropped(Outcome outcome);

  ClientKit kit_;
  Delegate<Outbound &> done_;
  Steps<Outbound> steps_;
  Purpose purpose_ = Purpose::kDial;
  enum class Proof : std::uint8_t { kNone, kToken, kRelayAlone } proof_ = Proof::kNone;
  EntityAddress entity_;
  std::string id_;
  std::string app_;
  LinkDescription description_;
  Token token_; // its text is empty
  std::string upgrade_key_;
  const Proxy *through_ = nullptr; // the proxy on the way to this host, if any
  std::unique_ptr<Link> link_;
  TlsLink *tls_ = nullptr; // within link_, during its handshake
  Status status_;

  AcquireToken acquire_;
  ResolveName resolve_;
  Dial dial_;
  Completion handshake_;
  std::optional<HeadWriter> writer_; // on link_, like the reader
  std::optional<HeadReader> reader_;
  Completion dropping_;
};

} // namespace culvert
