#include "core/list.hpp"
#include "core/random.hpp"

#include <deque>
#include <gtest/gtest.h>
#include <vector>

namespace culvert {
namespace {

struct One;
struct Two;
struct Element : ListHook<One>, ListHook<Two> {
  int number = 0;
};

TEST(List, KeepsTheOrderAndKnowsItsEnds) {
  Element elements[3];
  List<Element, One> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  for (Element &element : elements) {
    list.push_back(element);
  }
  EXPECT_EQ(list.front(), &elements[0]);
  EXPECT_EQ(list.after(elements[0]), &elements[1]);
  EXPECT_EQ(list.after(elements[2]), nullptr);
  static_cast<ListHook<One> &>(elements[1]).unlink();
  static_cast<ListHook<One> &>(elements[1]).unlink(); // on no list: nothing
  EXPECT_EQ(list.after(elements[0]), &elements[2]);
  EXPECT_EQ(list.pop_front(), &elements[0]);
  EXPECT_EQ(list.pop_front(), &elements[2]);
  EXPECT_TRUE(list.empty());
}

TEST(List, OneElementOnTwoListsAtOnce) {
  Element element;
  List<Element, One> one;
  List<Element, Two> two;
  one.push_back(element);
  two.push_back(element);
  EXPECT_EQ(one.pop_front(), &element);
  EXPECT_EQ(two.front(), &element);
  EXPECT_FALSE(static_cast<ListHook<One> &>(element).linked());
  EXPECT_TRUE(static_cast<ListHook<Two> &>(element).linked());
  two.pop_front();
}

void push_twice() {
  Element element;
  List<Element, One> list;
  list.push_back(element);
  list.push_back(element);
}

void die_on_a_list() {
  List<Element, One> list;
  Element element;
  list.push_back(element);
}

TEST(List, MisuseIsAsserted) {
  EXPECT_DEATH(push_twice(), "");
  EXPECT_DEATH(die_on_a_list(), "");
}

TEST(List, RandomUseAgreesWithADeque) {
  SeededRandom random(3);
  std::vector<Element> elements(32);
  List<Element, One> lists[2];
  std::deque<Element *> expected[2];
  for (int step = 0; step < 20'000; ++step) {
    Element &element = elements[random.below(elements.size())];
    ListHook<One> &hook = element;
    const std::size_t side = random.below(2);
    if (!hook.linked()) {
      lists[side].push_back(element);
      expected[side].push_back(&element);
    } else if (random.below(8) == 0) {
      lists[side].take_all(lists[1 - side]);
      for (Element *moved : expected[1 - side]) {
        expected[side].push_back(moved);
      }
      expected[1 - side].clear();
    } else {
      hook.unlink();
      for (auto &one : expected) {
        std::erase(one, &element);
      }
    }
    std::size_t place = 0;
    for (Element *at = lists[side].front(); at != nullptr; at = lists[side].after(*at)) {
      ASSERT_LT(place, expected[side].size());
      ASSERT_EQ(at, expected[side][place++]);
    }
    ASSERT_EQ(place, expected[side].size());
  }
  for (auto &list : lists) {
    while (list.pop_front() != nullptr) {
    }
  }
}

} // namespace
} // namespace culvert
