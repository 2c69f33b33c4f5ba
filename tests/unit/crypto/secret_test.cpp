#include "crypto/digest.hpp"
#include "crypto/secret.hpp"

#include <gtest/gtest.h>
#include <ostream>
#include <thread>
#include <type_traits>

namespace culvert {
namespace {

template <typename T>
concept Printable = requires(std::ostream &out, const T &value) {
  out << value;
};

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!Printable<Secret> && !std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(Secret, TakingATextOverLeavesNothingBehind) {
  std::string text(100, 'k');
  const char *place = text.data();
  const Secret secret = Secret::take(text);
  EXPECT_EQ(secret.reveal(), std::string(100, 'k'));
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(place, 100).find('k'), std::string::npos);
}

TEST(Secret, MovesAndClonesKeepTheBytes) {
  Secret first(std::string_view("key one"));
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty()); // NOLINT: what is left of it is part of the contract
  Secret third(std::string_view("key two"));
  third = std::move(second);
  EXPECT_EQ(third.reveal(), "key one");
  const Secret copy = third.clone();
  EXPECT_EQ(copy.reveal(), "key one");
  EXPECT_NE(copy.bytes().data(), third.bytes().data());
}

TEST(SecretStore, FindsByReferenceAndNothingElse) {
  SecretStore store;
  EXPECT_EQ(store.find(0), nullptr);
  EXPECT_EQ(store.find(1), nullptr);
  const std::uint64_t one = store.add(Secret(std::string_view("one")));
  const std::uint64_t two = store.add(Secret(std::string_view("two")));
  EXPECT_NE(one, 0U);
  EXPECT_NE(one, two);
  EXPECT_EQ(store.find(one)->reveal(), "one");
  EXPECT_EQ(store.find(two)->reveal(), "two");
  EXPECT_EQ(store.find(0), nullptr);
  EXPECT_EQ(store.find(two + 1), nullptr);
  EXPECT_EQ(store.find(UINT64_MAX), nullptr);
}

TEST(SecretStore, SecretsStayInPlaceWhileOthersAreAddedAndRead) {
  SecretStore store;
  const std::uint64_t first = store.add(Secret(std::string_view("first")));
  const std::shared_ptr<const Secret> place = store.find(first);
  bool same = true;
  std::thread reader([&] {
    for (int i = 0; i < 1000; ++i) {
      same = same && store.find(first) == place && place->reveal() == "first";
    }
  });
  for (int i = 0; i < 1000; ++i) {
    store.add(Secret(std::string_view("more")));
  }
  reader.join();
  EXPECT_TRUE(same);
}

TEST(SecretLease, ForgetsWhatItAddedAndNothingElse) {
  SecretStore store;
  const std::uint64_t other = store.add(Secret(std::string_view("other")));
  std::weak_ptr<const Secret> kept;
  std::shared_ptr<const Secret> in_use;
  std::uint64_t used = 0;
  {
    SecretLease lease(store);
    kept = store.find(lease.add(Secret(std::string_view("one"))));
    used = lease.add(Secret(std::string_view("two")));
    in_use = store.find(used);
    EXPECT_FALSE(kept.expired());
    EXPECT_EQ(store.size(), 3U);
  }
  EXPECT_TRUE(kept.expired()) << "a Secret that dies is wiped";
  EXPECT_EQ(store.find(used), nullptr);
  EXPECT_EQ(in_use->reveal(), "two") << "whoever found it before may finish";
  EXPECT_EQ(store.find(other)->reveal(), "other");
  EXPECT_NE(store.add(Secret(std::string_view("new"))), used) << "no reference comes again";
}

} // namespace
} // namespace culvert
