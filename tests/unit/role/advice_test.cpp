// What stands behind a relay's refusal in a client's log.
#include "role/advice.hpp"

#include "link/http_date.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

constexpr std::int64_t kNow = 1'900'000'000;

Status said(Code code) {
  return Status::failure(code, Source::kRelay, Retry::kNever, "the relay answered 4xx");
}

std::string advice(Code code, Purpose purpose = Purpose::kDial, const std::string &date = "",
                   std::string_view rule = "sender") {
  const EntityAddress entity{"relay.example", 443, "db"};
  std::vector<Field> fields;
  if (!date.empty()) {
    fields.push_back({"date", date});
  }
  const std::string whole = advised(said(code), {purpose, entity, rule, fields, kNow}).message;
  EXPECT_EQ(whole.find(said(code).message), 0U) << whole;
  return whole.substr(said(code).message.size());
}

TEST(Advice, NamesTheRuleTheEntityOrTheNameThatIsToBeChecked) {
  EXPECT_EQ(advice(Code::kTokenSignature),
            "; check that the relay has rule 'sender' and that the key is its key");
  EXPECT_EQ(advice(Code::kTokenRight, Purpose::kDial),
            "; rule 'sender' has no right to send; use another rule");
  EXPECT_EQ(advice(Code::kTokenRight, Purpose::kListen, "", "both"),
            "; rule 'both' has no right to listen; use another rule");
  EXPECT_EQ(advice(Code::kTokenRight, Purpose::kDial, "", ""),
            "; the token has no right to send; use another rule");
  EXPECT_EQ(advice(Code::kNoEntity), "; the relay has no entity 'db'; check EntityPath");
  EXPECT_EQ(advice(Code::kTokenAudience).find("; the token is for relay.example/db, and the relay"),
            0U);
  EXPECT_EQ(advice(Code::kOverload), "");
}

TEST(Advice, SaysByHowMuchTheClockOfAnExpiredTokenIsOff) {
  const auto at = [](std::int64_t ahead_s) {
    return advice(Code::kTokenExpired, Purpose::kListen, http_date(kNow + ahead_s));
  };
  EXPECT_EQ(at(3 * 3600), "; this machine's clock is 3 h 0 min behind the relay's; set it right");
  EXPECT_EQ(at(-90), "; this machine's clock is 90 s ahead of the relay's; set it right");
  EXPECT_EQ(at(600), "; this machine's clock is 10 min behind the relay's; set it right");
  EXPECT_EQ(at(2),
            "; this machine's clock agrees with the relay's, so the token itself is too old");
  EXPECT_EQ(advice(Code::kTokenExpired), "; check this machine's clock");
  EXPECT_EQ(advice(Code::kTokenExpired, Purpose::kDial, "yesterday"),
            "; check this machine's clock");
}

TEST(Advice, ADialThatFailsNamesWhatToCheck) {
  const auto of = [](Code code, Source source) {
    Status failed = said(code);
    failed.source = source;
    return advised_of_dial(failed).message;
  };
  EXPECT_EQ(of(Code::kRefused, Source::kRelay),
            said(Code::kRefused).message +
                "; nobody listens there: check host and port, and whether the relay runs");
  EXPECT_NE(of(Code::kRefused, Source::kProxy).find("whether the proxy runs"), std::string::npos);
  EXPECT_NE(of(Code::kTimeout, Source::kRelay).find("firewalls"), std::string::npos);
  EXPECT_NE(of(Code::kUnreachable, Source::kRelay).find("network"), std::string::npos);
  EXPECT_EQ(of(Code::kNoDescriptor, Source::kLocal), said(Code::kNoDescriptor).message);
}

TEST(Advice, AnOfferThatLeadsNowhereIsTheRelaysPublicAddress) {
  LinkDescription target;
  target.host = "wrong.example";
  target.port = 444;
  const std::string sentence = "; the relay sends its listeners to wrong.example:444: if it is not "
                               "reached there, correct the relay's public address";
  for (const Code code :
       {Code::kRefused, Code::kTimeout, Code::kUnreachable, Code::kTls, Code::kNoName}) {
    EXPECT_EQ(advised_of_offer(said(code), target).said(), said(code).message + sentence);
    EXPECT_EQ(advised_of_offer(said(code), target).message, said(code).message) << "for the peer";
  }
  EXPECT_EQ(advised_of_offer(said(Code::kRejected), target).said(), said(Code::kRejected).message);
  EXPECT_TRUE(advised_of_offer(Status{}, target).ok());
}

} // namespace
} // namespace culvert::test
