// What the responder answers itself, what it hands on, and which answers of upstreams it believes.
#include "dns/messages.hpp"

#include <gtest/gtest.h>

#include <ldns/ldns.h>
#include <memory>
#include <random>

namespace culvert::test {
namespace {

using namespace culvert::dns;
using Packet = std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)>;

constexpr std::uint32_t kTtl = 7;
const NameTable kNames({{"db.internal", "127.1.2.3"}, {"web.internal", "127.4.5.6"}});

/// A query as a client sends it.
Message query(const std::string &name, ldns_rr_type type, ldns_rr_class rr_class = LDNS_RR_CLASS_IN,
              std::uint16_t edns_size = 0) {
  ldns_rdf *owner = nullptr;
  EXPECT_EQ(ldns_str2rdf_dname(&owner, name.c_str()), LDNS_STATUS_OK);
  const Packet packet(ldns_pkt_query_new(owner, type, rr_class, LDNS_RD), ldns_pkt_free);
  ldns_pkt_set_id(packet.get(), 0x1234);
  if (edns_size != 0) {
    ldns_pkt_set_edns_udp_size(packet.get(), edns_size);
  }
  std::uint8_t *bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(ldns_pkt2wire(&bytes, packet.get(), &size), LDNS_STATUS_OK);
  Message message(bytes, bytes + size);
  LDNS_FREE(bytes);
  return message;
}

/// "NOERROR aa answers: db.internal. 7 IN A 127.1.2.3; authority: ..."
std::string text_of(const std::optional<Message> &message) {
  ldns_pkt *packet = nullptr;
  if (!message || ldns_wire2pkt(&packet, message->data(), message->size()) != LDNS_STATUS_OK) {
    return "no message";
  }
  const Packet owner(packet, ldns_pkt_free);
  EXPECT_TRUE(ldns_pkt_qr(packet));
  EXPECT_EQ(ldns_pkt_id(packet), 0x1234);
  const ldns_lookup_table *rcode = ldns_lookup_by_id(ldns_rcodes, ldns_pkt_get_rcode(packet));
  std::string text = rcode->name;
  for (const ldns_rr_list *list : {ldns_pkt_answer(packet), ldns_pkt_authority(packet)}) {
    char *records = ldns_rr_list2str(list);
    text += "|" + std::string(records);
    LDNS_FREE(records);
  }
  for (char &letter : text) {
    letter = letter == '\t' ? ' ' : letter == '\n' ? ';' : letter;
  }
  return text;
}

std::string answer(const Message &message) {
  const Decision decision = decide(message, kNames, kTtl);
  return decision.query ? "asks an upstream" : text_of(decision.answer);
}

TEST(DnsMessages, ARedirectedNameHasItsAddressInAnyCase) {
  EXPECT_EQ(answer(query("db.internal", LDNS_RR_TYPE_A)),
            "NOERROR|db.internal. 7 IN A 127.1.2.3;|");
  EXPECT_EQ(answer(query("DB.Internal.", LDNS_RR_TYPE_A)),
            "NOERROR|DB.Internal. 7 IN A 127.1.2.3;|");
  EXPECT_EQ(answer(query("web.internal", LDNS_RR_TYPE_ANY)),
            "NOERROR|web.internal. 7 IN A 127.4.5.6;|");
}

TEST(DnsMessages, ARedirectedNameHasNothingElse) {
  for (const ldns_rr_type type : {LDNS_RR_TYPE_AAAA, LDNS_RR_TYPE_HTTPS, LDNS_RR_TYPE_SVCB,
                                  LDNS_RR_TYPE_SRV, LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_TXT}) {
    EXPECT_EQ(answer(query("db.internal", type)),
              "NOERROR||db.internal. 7 IN SOA culvert.invalid. nobody.invalid. 1 3600 600 86400 "
              "7;");
  }
}

TEST(DnsMessages, AnAddressLeadsBackToItsName) {
  EXPECT_EQ(answer(query("3.2.1.127.in-addr.arpa", LDNS_RR_TYPE_PTR)),
            "NOERROR|3.2.1.127.in-addr.arpa. 7 IN PTR db.internal.;|");
  EXPECT_EQ(answer(query("3.2.1.127.in-addr.arpa", LDNS_RR_TYPE_A)),
            "NOERROR||3.2.1.127.in-addr.arpa. 7 IN SOA culvert.invalid. nobody.invalid. 1 3600 600 "
            "86400 7;");
}

TEST(DnsMessages, AllElseIsForAnUpstream) {
  EXPECT_EQ(answer(query("other.internal", LDNS_RR_TYPE_A)), "asks an upstream");
  EXPECT_EQ(answer(query("x.db.internal", LDNS_RR_TYPE_A)), "asks an upstream");
  EXPECT_EQ(answer(query("internal", LDNS_RR_TYPE_A)), "asks an upstream");
  EXPECT_EQ(answer(query(".", LDNS_RR_TYPE_NS)), "asks an upstream");
  EXPECT_EQ(answer(query("4.2.1.127.in-addr.arpa", LDNS_RR_TYPE_PTR)), "asks an upstream");
  EXPECT_EQ(answer(query("db\\.internal", LDNS_RR_TYPE_A)), "asks an upstream");
  EXPECT_EQ(answer(query("other.internal", LDNS_RR_TYPE_A, LDNS_RR_CLASS_CH)), "asks an upstream");
}

TEST(DnsMessages, NoUnusualQueryAboutARedirectedNameLeaves) {
  for (const ldns_rr_class other : {LDNS_RR_CLASS_CH, LDNS_RR_CLASS_ANY}) {
    EXPECT_EQ(answer(query("db.internal", LDNS_RR_TYPE_A, other)), "REFUSED||");
  }
  Message update = query("db.internal", LDNS_RR_TYPE_SOA);
  update[2] |= 0x28;
  EXPECT_EQ(answer(update), "REFUSED||");
}

TEST(DnsMessages, WhatGoesToAnUpstreamIsAsItCame) {
  const Message plain = query("other.internal", LDNS_RR_TYPE_A);
  const Message edns = query("Other.Internal", LDNS_RR_TYPE_MX, LDNS_RR_CLASS_IN, 4096);
  for (const Message &message : {plain, edns}) {
    const Decision decision = decide(message, kNames, kTtl);
    ASSERT_TRUE(decision.query);
    EXPECT_EQ(decision.query->bytes, message);
    EXPECT_EQ(decision.query->name, "other.internal");
  }
  EXPECT_EQ(decide(edns, kNames, kTtl).query->answer_size, 4096U);
  EXPECT_EQ(decide(plain, kNames, kTtl).query->answer_size, 512U);
}

TEST(DnsMessages, AnswersWithEdnsToWhoHasIt) {
  const std::optional<Message> with =
      decide(query("db.internal", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 1400), kNames, kTtl).answer;
  const std::optional<Message> without =
      decide(query("db.internal", LDNS_RR_TYPE_A), kNames, kTtl).answer;
  ASSERT_TRUE(with && without);
  EXPECT_EQ((*with)[11], 1); // additional records: OPT
  EXPECT_EQ((*without)[11], 0);
}

TEST(DnsMessages, WhatIsNoQueryGetsNoAnswerAndWhatCannotBeReadIsFormErr) {
  Message message = query("db.internal", LDNS_RR_TYPE_A);
  const auto nothing = [](const Message &bytes) {
    const Decision decision = decide(bytes, kNames, kTtl);
    return !decision.answer && !decision.query;
  };
  EXPECT_TRUE(nothing({}));
  EXPECT_TRUE(nothing(Message(11, 0)));
  Message reply = message;
  reply[2] |= 0x80;
  EXPECT_TRUE(nothing(reply));

  Message cut(message.begin(), message.end() - 1);
  EXPECT_EQ(answer(cut), "FORMERR||");
  Message two = message;
  two[5] = 2;
  EXPECT_EQ(answer(two), "FORMERR||");
  Message none(message.begin(), message.begin() + 12);
  none[5] = 0;
  EXPECT_EQ(answer(none), "FORMERR||");
}

TEST(DnsMessages, AFailureHasTheQuestionAndNoRecord) {
  const Decision decision = decide(query("other.internal", LDNS_RR_TYPE_A), kNames, kTtl);
  ASSERT_TRUE(decision.query);
  const Message failed = failure(*decision.query, Rcode::kServerFailure);
  EXPECT_EQ(text_of(failed), "SERVFAIL||");
  EXPECT_EQ(truncated(*decision.query)[2] & 0x02, 0x02);
  EXPECT_EQ(text_of(truncated(*decision.query)), "NOERROR||");
  EXPECT_EQ(rcode_of(failed), Rcode::kServerFailure);
  EXPECT_TRUE(is_answer(*decision.query, failed));
}

TEST(DnsMessages, AnAnswerHasTheQuerysIdAndQuestion) {
  const Query asked = *decide(query("Other.internal", LDNS_RR_TYPE_A), kNames, kTtl).query;
  Message good = asked.bytes;
  good[2] |= 0x80;
  EXPECT_TRUE(is_answer(asked, good));
  Message folded = good;
  folded[13] = 'o';
  EXPECT_TRUE(is_answer(asked, folded));
  EXPECT_FALSE(is_answer(asked, asked.bytes)) << "a query";
  EXPECT_FALSE(is_answer(asked, with_id(good, 0x1235)));
  Message other_name = good;
  other_name[13] = 'X';
  EXPECT_FALSE(is_answer(asked, other_name));
  Message other_type = good;
  other_type[good.size() - 3] = LDNS_RR_TYPE_MX;
  EXPECT_FALSE(is_answer(asked, other_type));
  Message cut(good.begin(), good.end() - 1);
  EXPECT_FALSE(is_answer(asked, cut));
  Message bare(good.begin(), good.begin() + 12);
  bare[5] = 0;
  EXPECT_FALSE(is_answer(asked, bare)) << "without a question it must report a failure";
  bare[3] = static_cast<std::uint8_t>(Rcode::kFormat);
  EXPECT_TRUE(is_answer(asked, bare));
  EXPECT_EQ(id_of(with_id(good, 0xABCD)), 0xABCD);
}

// One seed, so a failure can be had again. The sanitizers judge.
TEST(DnsMessages, HoldsAgainstMessagesOfEveryForm) {
  std::mt19937 random(20261201); // NOLINT: reproducible
  const std::vector<Message> seeds{query("db.internal", LDNS_RR_TYPE_A),
                                   query("other.internal", LDNS_RR_TYPE_A),
                                   query("x.y", LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, 4096)};
  std::size_t answered = 0, asked = 0, dropped = 0;
  for (int i = 0; i < 100'000; ++i) {
    Message message = seeds[random() % seeds.size()];
    if (i % 4 == 0) {
      message.resize(random() % 80);
      std::generate(message.begin(), message.end(),
                    [&] { return static_cast<std::uint8_t>(random()); });
    }
    for (std::size_t change = random() % 4; change > 0 && !message.empty(); --change) {
      message[random() % message.size()] = static_cast<std::uint8_t>(random());
    }
    message.resize(message.size() - (random() % 8 == 0 ? random() % (message.size() + 1) : 0));
    const Decision decision = decide(message, kNames, kTtl);
    EXPECT_FALSE(decision.answer && decision.query);
    if (decision.query) {
      ++asked;
      EXPECT_TRUE(is_answer(*decision.query, failure(*decision.query, Rcode::kServerFailure)));
    } else {
      ++(decision.answer ? answered : dropped);
    }
  }
  EXPECT_GT(answered, 10'000U);
  EXPECT_GT(asked, 10'000U);
  EXPECT_GT(dropped, 10'000U);
}

} // namespace
} // namespace culvert::test
