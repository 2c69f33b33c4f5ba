// The four kinds of plugin as the roles use them: the C ABI with plain C++ values.
//
// Each object is one instance: it belongs to one shard, is used only there, and detaches from its
// unit when it is destroyed. What a plugin returns is checked against the bounds of core/limits.hpp
// and copied before the call returns; a plugin that breaks a rule gives a Status with
// Source::kPlugin that names it. The unit must outlive its instances (plugin/unit.hpp).
#pragma once

#include "culvert/status.hpp"
#include "io/address.hpp"
#include "io/shard.hpp"
#include "link/description.hpp"
#include "plugin/intent.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

// --- transport ----------------------------------------------------------------------------------

struct EntityAddress {
  std::string host;
  std::uint16_t port = 443;
  std::string path;
};

enum class Purpose : std::uint8_t { kListen, kDial, kAccept, kReject };

/// A relay's answer to the head, or its reason for closing a control channel.
struct Reply {
  enum class Form : std::uint8_t { kHttp, kMessage, kClose };
  Form form = Form::kHttp;
  std::uint16_t status = 0;
  std::string reason;
  std::vector<Field> fields;
  Message message;
};

struct ReplyResult {
  enum class Verdict : std::uint8_t { kDone, kSay, kFail };
  Verdict verdict = Verdict::kFail;
  Message say;
  Status status; // of kFail
};

struct ChannelResult {
  enum class Action : std::uint8_t { kNothing, kAnswer, kOffer };
  Action action = Action::kNothing;
  Message message;         // the answer, or the offer in its bytes
  std::string loggable_id; // of an offer
  std::string app_address; // of an offer, "10.0.0.1:80", as the sender says; empty: not known
};

class Transport {
public:
  virtual ~Transport() = default;
  virtual Result<std::string> audience(const EntityAddress &entity) = 0;
  /// `id`: UUID text; a listener keeps its own for ever, a sender makes one for each connection.
  virtual Result<LinkDescription> listen(const EntityAddress &entity, std::string_view token,
                                         std::string_view id) = 0;
  /// `app`: its address for the listener, "10.0.0.1:80"; may be empty.
  virtual Result<LinkDescription> dial(const EntityAddress &entity, std::string_view token,
                                       std::string_view id, std::string_view app) = 0;
  /// A connection that proves the token and meets no listener: on_reply() is told as of kDial, and
  /// a code that meets_nobody() is a proof. Code::kUnsupported where the protocol has none.
  virtual Result<LinkDescription> prove(const EntityAddress &, std::string_view, std::string_view) {
    return Status::failure(Code::kUnsupported, Source::kPlugin, Retry::kNever,
                           "the relay protocol has no proof of a token");
  }
  virtual ReplyResult on_reply(Purpose purpose, const Reply &reply) = 0;
  virtual Result<ChannelResult> on_message(std::uint64_t &channel_word, const Message &message) = 0;
  virtual Result<LinkDescription> accept(std::string_view offer) = 0;
  virtual Result<LinkDescription> reject(std::string_view offer, const Status &why) = 0;
  /// Code::kUnsupported where the protocol has no renewal.
  virtual Result<Message> renew(std::uint64_t &channel_word, std::string_view token) = 0;
};

// --- relay --------------------------------------------------------------------------------------

/// What an outcome is about: a head, or a control channel that will be closed.
enum class Stage : std::uint8_t { kHead, kChannel };

class RelayProtocol {
public:
  virtual ~RelayProtocol() = default;
  [[nodiscard]] virtual HeadForm head_form() const = 0;
  [[nodiscard]] virtual const std::vector<std::string> &alpn() const = 0;
  virtual Result<Intent> on_head(const Head &head) = 0;
  /// `facts` come from on_head() of the same channel.
  virtual Result<Intent> on_message(std::uint64_t &channel_word, std::string_view facts,
                                    const Message &message) = 0;
  virtual Result<Message> offer(std::string_view facts, std::string_view capability,
                                std::string_view public_host, std::uint16_t public_port) = 0;
  /// For a channel the answer is never HTTP.
  virtual Result<Answer> outcome(Stage stage, std::string_view facts, const Status &why) = 0;
  virtual void on_gone(std::uint64_t &channel_word) = 0;
};

// --- auth and resolver: operations --------------------------------------------------------------

/// Embedded in its owner, like a Completion. It is in flight from its start to its callback, which
/// runs on the shard, exactly once and never inside the starting call.
template <typename Value> class PluginOperation {
public:
  PluginOperation() = default;
  PluginOperation(const PluginOperation &) = delete;
  PluginOperation &operator=(const PluginOperation &) = delete;
  ~PluginOperation() { CULVERT_ASSERT(!pending_); }

  template <auto Method, typename Owner> void bind(Owner &owner) { done_.bind<Method>(owner); }
  [[nodiscard]] bool in_flight() const { return done_.in_flight() || pending_; }
  /// Makes it complete soon: with a failure that names the plugin that has not answered, or with an
  /// answer that has just arrived. The plugin keeps its record; a later answer is ignored.
  void abandon() {
    if (pending_) {
      let_go_();
    }
  }

  // --- for implementations ----------------------------------------------------------------------
  /// The answer comes later. abandon() calls `let_go`, which must call finish() soon.
  void begin(Delegate<> let_go) {
    CULVERT_ASSERT(!in_flight());
    let_go_ = let_go;
    pending_ = true;
  }
  /// The callback runs in the shard's next round.
  void finish(Io &io, Result<Value> value) {
    pending_ = false;
    result = std::move(value);
    io.yield(done_);
  }

  Result<Value> result = Status{}; // valid when the callback runs

private:
  Completion done_;
  Delegate<> let_go_;
  bool pending_ = false; // not answered yet
};

struct Token {
  std::string text; // secret
  std::uint64_t id = 0;
  std::int64_t expires_s = 0;
  std::int64_t renew_after_s = 0;
};
using AcquireToken = PluginOperation<Token>;

inline constexpr std::uint32_t kRightListen = 1;
inline constexpr std::uint32_t kRightSend = 2;
inline constexpr std::uint32_t kRightManage = 4; // implies the others

struct Rule {
  std::string name;
  std::uint32_t rights = 0;
  std::vector<std::uint64_t> secrets; // references: the primary, and perhaps a secondary
};

struct TokenCheck {
  std::string_view token;
  std::string_view path;
  const std::vector<const Rule *> *rules = nullptr; // those that apply, the entity's first
  const std::vector<std::string> *names = nullptr;  // the relay's
  std::uint32_t right_wanted = 0;
};
struct Grant {
  std::uint32_t rights = 0;
  std::int64_t expires_s = 0;
  std::string rule; // its name; empty: the plugin does not say
};
using VerifyToken = PluginOperation<Grant>;

class Auth {
public:
  virtual ~Auth() = default;
  virtual void acquire(AcquireToken &operation, std::string_view audience) = 0;
  /// True if the next acquire() returns a different token and the caller should dial again at once.
  virtual bool refused(std::uint64_t token_id) = 0;
  /// Copies what `check` points to.
  virtual void verify(VerifyToken &operation, const TokenCheck &check) = 0;
};

struct Addresses {
  std::vector<Address> addresses; // with port 0, in the order in which to try them
  std::uint32_t lifetime_ms = 0;
};
using ResolveName = PluginOperation<Addresses>;

class Resolver {
public:
  virtual ~Resolver() = default;
  virtual void resolve(ResolveName &operation, std::string_view name) = 0;
};

} // namespace culvert
