// Every number in the structs of the kinds, at both of its bounds.
#include "bounds.hpp"

#include "plugin/instance.hpp"
#include "plugin/values.hpp"

namespace culvert::test {
namespace {

constexpr std::size_t kFar = 1'000'000; // more than any bound of a text

const std::string kBytes(kFar, 'x');

culvert_view view(std::int64_t size) {
  return {kBytes.data(), static_cast<std::size_t>(size)};
}

culvert_view *views() {
  static std::vector<culvert_view> some(kListenerIds + 1);
  return some.data();
}

const culvert_field *fields() {
  static std::vector<culvert_field> some(kHeadFields + 1, {view(1), view(1), 0, 0});
  return some.data();
}

/// A struct of type Struct that `begin` makes right, with the number that `write` writes into it,
/// read by `read`.
template <typename Struct, typename Begin, typename ReadIt, typename Write>
Read with(Begin begin, ReadIt read, Write write) {
  return [=](std::int64_t number) {
    Struct written{};
    begin(written);
    write(written, number);
    Reader reader("test_plugin", "function");
    read(reader, written);
    return reader.fault();
  };
}

template <typename Write> Read link(Write write) {
  const auto begin = [](culvert_link_description &link) {
    link.host = view(1);
    link.port = 443;
    link.target = link.message = view(1);
    link.ping = link.pong = view(1);
    link.framing = CULVERT_FRAMING_MESSAGES;
    link.fields = fields();
  };
  const auto read = [](Reader &reader, const culvert_link_description &link) { reader.link(link); };
  return with<culvert_link_description>(begin, read, write);
}

template <typename Write> Read intent(Write write) {
  const auto begin = [](culvert_intent &intent) {
    intent.verb = CULVERT_VERB_CONNECT;
    intent.ping = intent.pong = view(1);
    intent.framing = CULVERT_FRAMING_MESSAGES;
    intent.allowed = intent.denied = views();
  };
  const auto read = [](Reader &reader, const culvert_intent &intent) { reader.intent(intent); };
  return with<culvert_intent>(begin, read, write);
}

template <typename Write> Read answer(std::uint32_t form, Write write) {
  const auto begin = [form](culvert_answer &answer) {
    answer.form = form;
    answer.status = form == CULVERT_ANSWER_HTTP ? 200 : 1'000;
    answer.fields = fields();
  };
  const auto read = [](Reader &reader, const culvert_answer &answer) { reader.answer(answer); };
  return with<culvert_answer>(begin, read, write);
}

template <typename Call, typename Begin, typename Write> Read record(Begin begin, Write write) {
  const auto read = [](Reader &reader, const typename Call::Record &record) {
    static_cast<void>(Call::read(record, reader));
  };
  return with<typename Call::Record>(begin, read, write);
}

template <typename Write> Read acquire(Write write) {
  return record<AcquireCall>([](culvert_acquire &record) { record.token = view(1); }, write);
}

template <typename Write> Read verify(Write write) {
  return record<VerifyCall>(
      [](culvert_verify &record) { record.rights = record.right_wanted = kRightListen; }, write);
}

template <typename Write> Read resolve(Write write) {
  const auto begin = [](culvert_resolve &record) {
    record.address_count = 1;
    for (culvert_address &address : record.addresses) {
      address.family = CULVERT_IPV6;
    }
  };
  return record<ResolveCall>(begin, write);
}

/// Framing stands in two structs.
template <typename Struct, typename ReadIt> std::vector<Row> framing_rows(ReadIt read) {
  return {
      {"framing",
       read([](Struct &s, std::int64_t n) { s.framing = std::uint32_t(n); }),
       {0, 1, 2},
       {3, kMost32}},
      {"ping_interval_ms",
       read([](Struct &s, std::int64_t n) { s.ping_interval_ms = std::uint32_t(n); }),
       {0, 100, kMost32},
       {1, 99}},
      {"largest_message",
       read([](Struct &s, std::int64_t n) { s.largest_message = std::uint32_t(n); }),
       {0, 16, 65'536},
       {1, 2, 15, 65'537, kMost32}},
      {"ping.size",
       read([](Struct &s, std::int64_t n) { s.ping = view(n); }),
       {0, 1, 65'535},
       {65'536, 65'537, std::int64_t{kFar}}},
      {"pong.size",
       read([](Struct &s, std::int64_t n) { s.pong = view(n); }),
       {0, 1, 65'535},
       {65'536, 65'537, std::int64_t{kFar}}},
  };
}

TEST(Bounds, OfALinkDescription) {
  using Link = culvert_link_description;
  check(framing_rows<Link>([](auto write) { return link(write); }));
  check({
      {"tls",
       link([](Link &l, std::int64_t n) { l.tls = std::uint32_t(n); }),
       {0, 1},
       {2, kMost32}},
      {"port",
       link([](Link &l, std::int64_t n) { l.port = std::uint32_t(n); }),
       {1, 65'535},
       {0, 65'536, kMost32}},
      {"head_form",
       link([](Link &l, std::int64_t n) { l.head_form = std::uint32_t(n); }),
       {0, 1, 2},
       {3, kMost32}},
      {"field_count",
       link([](Link &l, std::int64_t n) { l.field_count = std::uint32_t(n); }),
       {0, 128},
       {129, kMost32}},
      {"host.size",
       link([](Link &l, std::int64_t n) { l.host = view(n); }),
       {1, 40'960},
       {0, 40'961}},
      {"server_name.size",
       link([](Link &l, std::int64_t n) { l.server_name = view(n); }),
       {0, 40'960},
       {40'961}},
      {"alpn.size", link([](Link &l, std::int64_t n) { l.alpn = view(n); }), {0, 255}, {256}},
      {"target.size",
       link([](Link &l, std::int64_t n) { l.target = view(n); }),
       {0, 40'960},
       {40'961}},
      {"authority.size",
       link([](Link &l, std::int64_t n) { l.authority = view(n); }),
       {0, 40'960},
       {40'961}},
      {"message.size",
       link([](Link &l, std::int64_t n) { l.message = view(n); }),
       {0, 40'960},
       {40'961}},
  });
}

TEST(Bounds, OfAField) {
  static culvert_field field;
  const auto one = [](auto write) {
    return link([write](culvert_link_description &l, std::int64_t n) {
      field = {view(1), view(1), 0, 0};
      write(field, n);
      l.fields = &field;
      l.field_count = 1;
    });
  };
  check({
      {"secret",
       one([](culvert_field &f, std::int64_t n) { f.secret = std::uint32_t(n); }),
       {0, 1},
       {2, kMost32}},
      {"name.size",
       one([](culvert_field &f, std::int64_t n) { f.name = view(n); }),
       {1, 40'960},
       {0, 40'961}},
      {"value.size",
       one([](culvert_field &f, std::int64_t n) { f.value = view(n); }),
       {0, 40'960},
       {40'961}},
  });
}

TEST(Bounds, OfAnIntent) {
  using Intent = culvert_intent;
  check(framing_rows<Intent>([](auto write) { return intent(write); }));
  check({
      {"verb",
       intent([](Intent &i, std::int64_t n) { i.verb = std::uint32_t(n); }),
       {1, 2, 3, 4, 5, 6, 7},
       {0, 8, kMost32}},
      {"allowed_count",
       intent([](Intent &i, std::int64_t n) { i.allowed_count = std::uint32_t(n); }),
       {0, 256},
       {257, kMost32}},
      {"denied_count",
       intent([](Intent &i, std::int64_t n) { i.denied_count = std::uint32_t(n); }),
       {0, 256},
       {257, kMost32}},
      {"facts.size",
       intent([](Intent &i, std::int64_t n) { i.facts = view(n); }),
       {0, 40'960},
       {40'961}},
      {"token.size",
       intent([](Intent &i, std::int64_t n) { i.token = view(n); }),
       {0, 40'960},
       {40'961}},
  });
}

TEST(Bounds, OfAnAnswerAndItsMessage) {
  using Answer = culvert_answer;
  const auto status = [](Answer &a, std::int64_t n) { a.status = std::uint32_t(n); };
  check({
      {"form",
       answer(CULVERT_ANSWER_NONE,
              [](Answer &a, std::int64_t n) {
                a.form = std::uint32_t(n);
                a.status = n == CULVERT_ANSWER_HTTP ? 200 : 1'000;
              }),
       {0, 1, 2, 3},
       {4, kMost32}},
      {"HTTP status",
       answer(CULVERT_ANSWER_HTTP, status),
       {101, 200, 599},
       {0, 100, 102, 199, 600, 65'736, kMost32}},
      {"close code",
       answer(CULVERT_ANSWER_CLOSE, status),
       {1'000, 1'003, 3'000, 4'999},
       {0, 999, 1'005, 1'006, 5'000, 66'536, kMost32}},
      {"field_count",
       answer(CULVERT_ANSWER_HTTP,
              [](Answer &a, std::int64_t n) { a.field_count = std::uint32_t(n); }),
       {0, 128},
       {129, kMost32}},
      {"body.size",
       answer(CULVERT_ANSWER_HTTP, [](Answer &a, std::int64_t n) { a.body = view(n); }),
       {0, 65'536},
       {65'537}},
      {"message.kind",
       answer(CULVERT_ANSWER_MESSAGE,
              [](Answer &a, std::int64_t n) { a.message.kind = std::uint32_t(n); }),
       {0, 1},
       {2, kMost32}},
      {"message.bytes.size",
       answer(CULVERT_ANSWER_MESSAGE, [](Answer &a, std::int64_t n) { a.message.bytes = view(n); }),
       {0, 65'536},
       {65'537}},
  });
}

TEST(Bounds, OfTokensAndGrants) {
  check({
      {"token.size",
       acquire([](culvert_acquire &r, std::int64_t n) { r.token = view(n); }),
       {1, 20'480},
       {0, 20'481}},
      {"acquire expires_s",
       acquire([](culvert_acquire &r, std::int64_t n) { r.expires_s = n; }),
       {0, kLastSecond, kMost64},
       {-1, kLeast64}},
      {"renew_after_s",
       acquire([](culvert_acquire &r, std::int64_t n) { r.renew_after_s = n; }),
       {0, kLastSecond, kMost64},
       {-1, kLeast64}},
      {"rights",
       verify([](culvert_verify &r, std::int64_t n) { r.rights = std::uint32_t(n); }),
       {1, 3, 7},
       {0, 2, 9, kMost32}},
      {"verify expires_s",
       verify([](culvert_verify &r, std::int64_t n) { r.expires_s = n; }),
       {0, kLastSecond, kMost64},
       {-1, kLeast64}},
  });
  Reader reader("test_plugin", "function");
  EXPECT_EQ(reader.second(kMost64, "a time"), kLastSecond); // later is good until then
}

TEST(Bounds, OfAddresses) {
  check({
      {"address_count",
       resolve([](culvert_resolve &r, std::int64_t n) { r.address_count = std::uint32_t(n); }),
       {1, 16},
       {0, 17, kMost32}},
      {"family",
       resolve(
           [](culvert_resolve &r, std::int64_t n) { r.addresses[0].family = std::uint32_t(n); }),
       {4, 6},
       {0, 5, 7, kMost32}},
      {"lifetime_ms",
       resolve([](culvert_resolve &r, std::int64_t n) { r.lifetime_ms = std::uint32_t(n); }),
       {0, kMost32},
       {}},
  });
}

} // namespace
} // namespace culvert::test
