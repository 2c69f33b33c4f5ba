// A Close that says failure, or that cuts a message, through tunnels whose other side is a stream.
#include "unit/tunnel/tunnel_world.hpp"

namespace culvert::test {
namespace {

using How = EndingRecord::How;

class Closes : public TunnelSuite {
protected:
  bool carries_ends(const LinkUser &user) {
    return is_websocket(kind_of(user)) || kind_of(user) == SideKind::kMemory;
  }
  /// Each side that can say a Close does, in a tunnel of its own: its last bytes, then its end;
  /// then what is seen of it.
  void for_each_closing_side(std::uint16_t code, bool cut,
                             const std::function<void(LinkUser &actor, LinkUser &reader)> &look) {
    for (const bool first : {true, false}) {
      LinkUser &actor = first ? *app : *target;
      LinkUser &reader = other(actor);
      if (!is_websocket(kind_of(actor))) {
        continue;
      }
      SCOPED_TRACE(name_of(actor) + " says " + std::to_string(code));
      start();
      actor.message_bytes = cut ? 2 * kBytes : 0;
      actor.write_to(kBytes);
      actor.finish(Ending::finished(code, "why"));
      reader.read_to();
      ASSERT_TRUE(run_until([&] { return reader.end() != nullptr; }));
      EXPECT_EQ(reader.bytes_read(), kBytes);
      look(actor, reader);
      ASSERT_NO_FATAL_FAILURE(end_all());
      ASSERT_NO_FATAL_FAILURE(connect());
    }
  }
  static constexpr std::size_t kBytes = 1'000;
};

TEST_P(Closes, AFailureIsNoCleanEndOfAStream) {
  for (const unsigned code :
       {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 3000U, 4999U}) {
    for_each_closing_side(
        static_cast<std::uint16_t>(code), false, [&](LinkUser &actor, LinkUser &reader) {
          const bool aborted = code >= 1002 && code <= 1011 && !carries_ends(reader);
          EXPECT_EQ(reader.end()->aborted, aborted);
          if (!aborted && is_websocket(kind_of(reader))) {
            EXPECT_EQ(reader.end()->code, code);
          }
          if (aborted) {
            reader.close();
            actor.drop();
            expect_record(How::kAborted, name_of(actor), source_of(actor));
            EXPECT_EQ(under_test->record.status.message,
                      "the stream was closed with the failure " + std::to_string(code));
          }
        });
  }
}

TEST_P(Closes, AMessageThatIsCutIsNoCleanEndOfAStream) {
  for_each_closing_side(1000, true, [&](LinkUser &actor, LinkUser &reader) {
    EXPECT_EQ(reader.end()->aborted, !carries_ends(reader));
    if (!carries_ends(reader)) {
      reader.close();
      actor.drop();
      expect_record(How::kAborted, name_of(actor), source_of(actor));
      EXPECT_EQ(under_test->record.status.message, "the stream was closed inside a message");
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Every, Closes, testing::ValuesIn(every_tunnel()), tunnel_kind_name);

} // namespace
} // namespace culvert::test
