// The implementations of kinds.hpp: each calls the functions of one kind and checks the results.
//
// Made by Unit; used on one shard. Each owns its host and the room for the results of one call.
#pragma once

#include "culvert/secret.hpp"
#include "plugin/call_watch.hpp"
#include "plugin/record_pool.hpp"
#include "plugin/unit.hpp"
#include "plugin/values.hpp"
#include "plugin/waits.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

class Instance {
public:
  Instance(Unit &unit, Shard &shard, const culvert_life &life);
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;
  ~Instance();

  Status attach();

protected:
  [[nodiscard]] std::string_view id() const { return unit_.id(); }
  /// Empty room for the results of one call.
  culvert_arena arena() { return {reinterpret_cast<char *>(room_.get()), kPluginArenaBytes, 0}; }
  /// Called at most once. A class that owns records calls it first in its destructor, because the
  /// records must live longer than the plugin's instance. If calls are not completed, the plugin's
  /// detach() is not called: the ABI promises that none is pending then.
  void detach(std::size_t not_completed = 0);
  static culvert_status no_error() {
    culvert_status error{};
    error.size = sizeof error;
    return error;
  }

  Unit &unit_;
  Shard &shard_;
  CallWatch calls_;
  void *self_ = nullptr; // the result of attach(), or the unit

private:
  const culvert_life life_;
  PluginWaits waits_;
  std::shared_ptr<PluginHost> host_;
  std::shared_ptr<std::byte[]> room_;
  bool attached_ = false;
};

class TransportInstance final : public Transport, public Instance {
public:
  TransportInstance(Unit &unit, Shard &shard, const culvert_transport &functions)
      : Instance(unit, shard, functions.life), functions_(functions) {}

  Result<std::string> audience(const EntityAddress &entity) override;
  Result<LinkDescription> listen(const EntityAddress &entity, std::string_view token,
                                 std::string_view id) override;
  Result<LinkDescription> dial(const EntityAddress &entity, std::string_view token,
                               std::string_view id, std::string_view app) override;
  Result<LinkDescription> prove(const EntityAddress &entity, std::string_view token,
                                std::string_view id) override;
  ReplyResult on_reply(Purpose purpose, const Reply &reply) override;
  Result<ChannelResult> on_message(std::uint64_t &channel_word, const Message &message) override;
  Result<LinkDescription> accept(std::string_view offer) override;
  Result<LinkDescription> reject(std::string_view offer, const Status &why) override;
  Result<Message> renew(std::uint64_t &channel_word, std::string_view token) override;

private:
  template <typename Call> Result<LinkDescription> describe(const char *function, Call call);

  const culvert_transport functions_;
};

class RelayInstance final : public RelayProtocol, public Instance {
public:
  RelayInstance(Unit &unit, Shard &shard, const culvert_relay &functions);

  [[nodiscard]] HeadForm head_form() const override {
    return static_cast<HeadForm>(functions_.head_form);
  }
  [[nodiscard]] const std::vector<std::string> &alpn() const override { return alpn_; }
  Result<Intent> on_head(const Head &head) override;
  Result<Intent> on_message(std::uint64_t &channel_word, std::string_view facts,
                            const Message &message) override;
  Result<Message> offer(std::string_view facts, std::string_view capability,
                        std::string_view public_host, std::uint16_t public_port) override;
  Result<Answer> outcome(Stage stage, std::string_view facts, const Status &why) override;
  void on_gone(std::uint64_t &channel_word) override;

private:
  const culvert_relay functions_;
  std::vector<std::string> alpn_;
};

/// The calls that may complete later, for RecordPool: the C record, the data it points to, and the
/// code that reads its results.
struct AcquireCall {
  using Record = culvert_acquire;
  using Value = Token;
  std::string audience;
  culvert_arena arena{};
  std::unique_ptr<std::byte[]> room;
  static Result<Token> read(const Record &record, Reader &reader);
};

struct VerifyCall {
  using Record = culvert_verify;
  using Value = Grant;
  std::string token;
  std::string path;
  std::vector<std::string> words; // the names of rules, then of the relay
  std::vector<culvert_rule> rules;
  std::vector<culvert_view> names;
  void cleanse() { culvert::cleanse(token); }
  static Result<Grant> read(const Record &record, Reader &reader);
};

struct ResolveCall {
  using Record = culvert_resolve;
  using Value = Addresses;
  std::string name;
  static Result<Addresses> read(const Record &record, Reader &reader);
};

class AuthInstance final : public Auth, public Instance {
public:
  AuthInstance(Unit &unit, Shard &shard, const culvert_auth &functions)
      : Instance(unit, shard, functions.life), functions_(functions),
        acquires_(shard, unit, "acquire", functions.cancel_acquire, self_, calls_),
        verifies_(shard, unit, "verify", functions.cancel_verify, self_, calls_) {}
  ~AuthInstance() override { detach(acquires_.strand() + verifies_.strand()); }

  void acquire(AcquireToken &operation, std::string_view audience) override;
  bool refused(std::uint64_t token_id) override;
  void verify(VerifyToken &operation, const TokenCheck &check) override;

private:
  const culvert_auth functions_;
  RecordPool<AcquireCall> acquires_;
  RecordPool<VerifyCall> verifies_;
};

class ResolverInstance final : public Resolver, public Instance {
public:
  ResolverInstance(Unit &unit, Shard &shard, const culvert_resolver &functions)
      : Instance(unit, shard, functions.life), functions_(functions),
        resolves_(shard, unit, "resolve", functions.cancel, self_, calls_) {}
  ~ResolverInstance() override { detach(resolves_.strand()); }

  void resolve(ResolveName &operation, std::string_view name) override;

private:
  const culvert_resolver functions_;
  RecordPool<ResolveCall> resolves_;
};

} // namespace culvert
