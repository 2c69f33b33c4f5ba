// The three client plugins as small as they can be, for tests of listener and sender: a protocol of
// words, one message each, and tokens and names out of a table.
//
//   "listen PATH TOKEN" / "dial PATH TOKEN" / "accept ID" / "reject ID WHY" -> "ok", "again TEXT"
//   (said back), "no token", "no way", "nobody", "none allowed", "busy", anything else
//   on the channel: "offer HOST PORT ID", "ask" -> "answer", "nothing", anything else is malformed
#pragma once

#include "io/shard.hpp"
#include "plugin/kinds.hpp"
#include "unit/silence.hpp"

#include <map>
#include <string>
#include <vector>

namespace culvert::test {

class WordTransport final : public Transport {
public:
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

  bool proves = false;     // has a "prove PATH TOKEN"; otherwise a proof ends before a word is said
  bool tls = true;         // what an offer says; the simulation dials plain all the same
  std::string dialled_for; // the app of the latest dial
  bool renews = true;      // with "renew TOKEN"
  Retry after_close = Retry::kBackoff; // what the relay's end of a channel means
};

/// Tokens "token0", "token1", ... one a key; refused() goes to the next one, once each. With a life
/// they are "token0.1", "token0.2", ..., each handed out until half of its life has passed.
class TableAuth final : public Auth {
public:
  TableAuth(Shard &shard, std::size_t keys) : shard_(shard), keys_(keys) {}
  void acquire(AcquireToken &operation, std::string_view audience) override;
  bool refused(std::uint64_t token_id) override;
  void verify(VerifyToken &, const TokenCheck &) override {}

  std::size_t refusals = 0;     // how often it was told
  std::uint64_t refused_id = 0; // the latest
  std::size_t asked = 0;
  bool silent = false;
  bool fails = false;
  std::int64_t life_s = 0;        // 0: they have no end
  bool ends = false;              // it makes no second one
  std::int64_t renew_ahead_s = 0; // 0: it does not say when to renew

private:
  Shard &shard_;
  const std::size_t keys_;
  std::size_t key_ = 0;
  Token made_;
  std::vector<bool> bad_ = std::vector<bool>(keys_);
  Silence<Token> silence_;
};

/// IP literals and `names`.
class TableResolver final : public Resolver {
public:
  explicit TableResolver(Shard &shard) : shard_(shard) {}
  void resolve(ResolveName &operation, std::string_view name) override;

  std::map<std::string, std::vector<Address>> names;
  std::string silent; // for this name it does not answer

private:
  Shard &shard_;
  Silence<Addresses> silence_;
};

} // namespace culvert::test
