// Mail between the loops of two shards, on every backend.
#include "unit/io/io_tools.hpp"

namespace culvert::test {
namespace {

struct Letter : Mail {
  int number = 0;
};

struct Office {
  explicit Office(Io &io_of_it) : io(io_of_it) {}
  void on_letter(Mail &mail) {
    auto &letter = static_cast<Letter &>(mail);
    EXPECT_FALSE(mail.under_way());
    numbers.push_back(letter.number);
    if (answer_to != nullptr) {
      letter.number += 1000;
      letter.address_to<&Office::on_letter>(*answer_to);
      io.post(answer_to->io, letter);
    }
  }
  Io &io;
  std::vector<int> numbers;
  Office *answer_to = nullptr;
};

TEST_P(IoSuite, MailArrivesInOrderAndIsCountedOnBothShards) {
  Io &here = world->make();
  Io &there = world->make();
  Office office(there);
  std::vector<Letter> letters(300);
  std::vector<int> expected;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    letters[i].number = static_cast<int>(i);
    letters[i].address_to<&Office::on_letter>(office);
    here.post(there, letters[i]);
    EXPECT_TRUE(letters[i].under_way());
    expected.push_back(static_cast<int>(i));
  }
  EXPECT_TRUE(office.numbers.empty()); // never from inside the call
  EXPECT_EQ(here.in_flight(), letters.size());
  EXPECT_EQ(there.in_flight(), letters.size());
  EXPECT_TRUE(world->run_until([&] { return here.in_flight() == 0; }));
  EXPECT_EQ(office.numbers, expected);
  EXPECT_EQ(there.in_flight(), 0U);
  EXPECT_FALSE(letters.front().under_way());
}

TEST_P(IoSuite, AReceiverPostsTheSameMailBack) {
  Io &here = world->make();
  Io &there = world->make();
  Office home(here);
  Office away(there);
  away.answer_to = &home;
  Letter letter;
  letter.number = 7;
  letter.address_to<&Office::on_letter>(away);
  here.post(there, letter);
  EXPECT_TRUE(world->run_until([&] { return home.numbers.size() == 1; }));
  EXPECT_EQ(away.numbers, std::vector<int>{7});
  EXPECT_EQ(home.numbers, std::vector<int>{1007});
  EXPECT_TRUE(world->run_until([&] { return here.in_flight() + there.in_flight() == 0; }));
}

TEST_P(IoSuite, AShardPostsToItself) {
  Io &io = world->make();
  Office office(io);
  Letter first;
  Letter second;
  for (Letter *letter : {&first, &second}) {
    letter->number = letter == &first ? 1 : 2;
    letter->address_to<&Office::on_letter>(office);
    io.post(io, *letter);
  }
  EXPECT_TRUE(office.numbers.empty());
  EXPECT_GT(io.in_flight(), 0U);
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  EXPECT_EQ(office.numbers, (std::vector<int>{1, 2}));
}

TEST_P(IoSuite, MailDeliveredFromOutsideArrives) {
  Io &io = world->make();
  Office office(io);
  Letter letter;
  letter.number = 5;
  letter.address_to<&Office::on_letter>(office);
  io.deliver(letter);
  EXPECT_EQ(io.in_flight(), 1U);
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  EXPECT_EQ(office.numbers, std::vector<int>{5});
}

} // namespace
} // namespace culvert::test
