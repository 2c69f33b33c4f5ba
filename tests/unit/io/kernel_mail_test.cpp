// Mail between loops on threads of their own.
#include "unit/io/kernel_suite.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace culvert::test {
namespace {

struct Count : Mail {
  int number = 0;
  int sender = 0;
};

struct Counter {
  void on_mail(Mail &mail) {
    const auto &letter = static_cast<Count &>(mail);
    ordered = ordered && letter.number == next[letter.sender];
    next[letter.sender] = letter.number + 1;
    ++total;
  }
  std::array<int, 3> next{};
  bool ordered = true;
  int total = 0;
};

TEST_P(KernelSuite, MailOfTwoShardsAndOneStrangerArrivesInOrderAndIsJoined) {
  constexpr int kLetters = 5'000;
  const auto receiver = make();
  Counter counter;
  const auto send_all = [&](int sender) {
    const auto io = make();
    std::vector<Count> letters(kLetters);
    for (int i = 0; i < kLetters; ++i) {
      letters[i].number = i;
      letters[i].sender = sender;
      letters[i].address_to<&Counter::on_mail>(counter);
      io->post(*receiver, letters[i]);
    }
    while (io->in_flight() > 0) { // sleeps without a deadline: it must be woken to see the end
      io->run_ready();
      if (io->in_flight() > 0) {
        io->wait(Timers::kNever);
      }
    }
  };
  std::vector<Count> strange(kLetters);
  std::thread first(send_all, 0);
  std::thread second(send_all, 1);
  std::thread stranger([&] {
    for (int i = 0; i < kLetters; ++i) {
      strange[i].number = i;
      strange[i].sender = 2;
      strange[i].address_to<&Counter::on_mail>(counter);
      receiver->deliver(strange[i]);
    }
  });
  while (counter.total < 3 * kLetters) {
    receiver->run_ready();
    if (counter.total < 3 * kLetters) {
      receiver->wait(Timers::kNever);
    }
  }
  first.join();
  second.join();
  stranger.join();
  EXPECT_TRUE(counter.ordered);
  EXPECT_EQ(receiver->in_flight(), 0U);
}

struct Player {
  explicit Player(Io &io_of_it) : io(io_of_it) {}
  void on_ball(Mail &mail) {
    if (++hits < limit) {
      mail.address_to<&Player::on_ball>(*other);
      io.post(other->io, mail);
    } else {
      over->store(true);
    }
  }
  Io &io;
  Player *other = nullptr;
  std::atomic<bool> *over = nullptr;
  int hits = 0;
  int limit = 2'000;
};

TEST_P(KernelSuite, OneMailGoesToAndFroBetweenTwoThreads) {
  const auto here = make();
  Player left(*here);
  std::atomic<bool> over = false;
  std::atomic<Player *> right = nullptr;
  std::atomic<bool> joined = false;
  left.over = &over;
  std::thread thread([&] {
    const auto there = make();
    Player player(*there);
    player.other = &left;
    player.over = &over;
    right.store(&player);
    while (!over.load() || there->in_flight() > 0 || !joined.load()) {
      there->run_ready();
      there->wait(there->now_ns() + 5'000'000);
    }
  });
  while (right.load() == nullptr) {
    std::this_thread::yield();
  }
  left.other = right.load();
  Mail ball;
  ball.address_to<&Player::on_ball>(*left.other);
  here->post(left.other->io, ball);
  while (!over.load() || here->in_flight() > 0) {
    here->run_ready();
    here->wait(here->now_ns() + 5'000'000);
  }
  joined.store(true);
  thread.join();
  EXPECT_EQ(left.hits + left.limit, 2 * left.limit - 1); // the other player had the last one
}

} // namespace
} // namespace culvert::test
