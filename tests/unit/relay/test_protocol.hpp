// The relay's two kinds of plugin as small as they can be, for tests of the broker: one message of
// words as head, answers and offers in words too.
//
//   "listen path=P token=T id=I framing=websocket ..."     -> "listening"
//   "connect path=P token=T allowed=I denied=I"            -> "joined by the relay", once joined
//   "accept capability=C" / "reject capability=C status=N" -> "joined" / "refused N"
//   a failure                                              -> "no WORD-OF-THE-CODE", or Close 4000
//   on a channel: "renew T", "ask" -> "answer", "close me", anything else is malformed
//
// As HTTP the words stand in the target ("/listen/path=P/token=T"), an answer is a status with the
// text as its reason, and offers are the same.
//
// A token is "all", "listen", "send", "rule:NAME" (of a rule that applies), or the word of a code;
// "silent" is never judged, "slow" is "all" after 1 s. "all@S" is good until the unix second S.
#pragma once

#include "io/shard.hpp"
#include "plugin/kinds.hpp"
#include "unit/silence.hpp"

#include <map>
#include <string>

namespace culvert::test {

using Words = std::map<std::string, std::string>; // the first word is named "verb"
Words split_words(const std::string &text);

class TestProtocol final : public RelayProtocol {
public:
  explicit TestProtocol(std::string alpn = "test/1", HeadForm form = HeadForm::kMessage)
      : form_(form), alpn_{std::move(alpn)} {}
  [[nodiscard]] HeadForm head_form() const override { return form_; }
  [[nodiscard]] const std::vector<std::string> &alpn() const override { return alpn_; }
  Result<Intent> on_head(const Head &head) override;
  Result<Intent> on_message(std::uint64_t &channel_word, std::string_view facts,
                            const Message &message) override;
  Result<Message> offer(std::string_view facts, std::string_view capability,
                        std::string_view public_host, std::uint16_t public_port) override;
  Result<Answer> outcome(Stage stage, std::string_view facts, const Status &why) override;
  void on_gone(std::uint64_t &channel_word) override;

  int channels_gone = 0;

private:
  [[nodiscard]] Answer said(std::string text, std::uint16_t status) const;

  const HeadForm form_;
  std::vector<std::string> alpn_;
};

class TestAuth final : public Auth {
public:
  explicit TestAuth(Shard &shard) : shard_(shard) { slow_.bind<&TestAuth::on_slow>(*this); }
  void acquire(AcquireToken &, std::string_view) override {}
  bool refused(std::uint64_t) override { return false; }
  void verify(VerifyToken &operation, const TokenCheck &check) override;

private:
  void on_slow() { silence_.asked->finish(shard_.io, Grant{kRightManage, 0, {}}); }

  Shard &shard_;
  Silence<Grant> silence_;
  Timer slow_;
};

} // namespace culvert::test
