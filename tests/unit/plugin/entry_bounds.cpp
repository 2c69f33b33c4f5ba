// Every number in an entry and in a status, at both of its bounds.
#include "bounds.hpp"

#include "plugin/entry.hpp"
#include "plugin/values.hpp"

#include "culvert/service.h"

namespace culvert::test {
namespace {

TEST(Bounds, OfAnEntry) {
  static const auto resolve = [](void *, culvert_resolve *) -> std::uint32_t { return 0; };
  static const culvert_resolver functions{sizeof functions, 0, {}, resolve, nullptr};
  static const std::vector<culvert_kind> kinds(65, {CULVERT_KIND_RESOLVER, &functions});
  static const std::vector<const char *> services(65, CULVERT_SERVICE_LOG);
  static culvert_config_key key;
  static std::vector<culvert_config_key> keys(65, {"key", "", nullptr, 0, 0});
  const auto entry = [](auto write) -> Read {
    return [write](std::int64_t number) {
      key = keys.front();
      culvert_plugin one{CULVERT_PLUGIN_MAGIC,
                         sizeof one,
                         0,
                         0,
                         1,
                         kinds.data(),
                         "test_plugin",
                         "",
                         "",
                         "",
                         "",
                         "",
                         keys.data(),
                         1,
                         1,
                         services.data()};
      write(one, static_cast<std::uint32_t>(number));
      Status status = check_entry(one, "test_plugin", "plugin test_plugin");
      EXPECT_TRUE(status.ok() || status.source == Source::kLocal) << status.message;
      status.source = Source::kPlugin; // as check() expects it of every other struct
      return status;
    };
  };
  check({
      {"size",
       entry([](culvert_plugin &e, std::uint32_t n) { e.size = n; }),
       {sizeof(culvert_plugin), kMost32},
       {0, sizeof(culvert_plugin) - 1}},
      {"abi_minor",
       entry([](culvert_plugin &e, std::uint32_t n) { e.abi_minor = n; }),
       {0, kMost32},
       {}},
      {"abi_minor_required",
       entry([](culvert_plugin &e, std::uint32_t n) { e.abi_minor_required = n; }),
       {0, CULVERT_ABI_MINOR},
       {CULVERT_ABI_MINOR + 1, kMost32}},
      {"kind_count",
       entry([](culvert_plugin &e, std::uint32_t n) { e.kind_count = n; }),
       {0, 64},
       {65, kMost32}},
      {"config_key_count",
       entry([](culvert_plugin &e, std::uint32_t n) { e.config_key_count = n; }),
       {0, 64},
       {65, kMost32}},
      {"service_count",
       entry([](culvert_plugin &e, std::uint32_t n) { e.service_count = n; }),
       {0, 64},
       {65, kMost32}},
      {"config key type",
       entry([](culvert_plugin &e, std::uint32_t n) {
         key.type = n;
         e.config_keys = &key;
       }),
       {0, 4},
       {5, kMost32}},
  });
}

/// A status is read as its rule says, whatever stands in it.
TEST(Bounds, OfAStatus) {
  const auto read = [](std::uint32_t code, std::uint32_t source, std::uint32_t retry,
                       std::uint32_t peer_status, std::int32_t os_error) {
    culvert_status status{
        sizeof(culvert_status), code, source, retry, peer_status, os_error, "why"};
    return Reader("test_plugin", "function").failure(status);
  };
  const Status last = read(29, 4, 3, 65'535, std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(last.code, Code::kNoneAllowed);
  EXPECT_EQ(last.source, Source::kConfig);
  EXPECT_EQ(last.retry, Retry::kNewToken);
  EXPECT_EQ(last.peer_status, 65'535);
  EXPECT_EQ(last.os_error, std::numeric_limits<std::int32_t>::max());
  const Status first = read(1, 0, 0, 0, 0);
  EXPECT_EQ(first.code, Code::kCancelled);
  EXPECT_EQ(first.source, Source::kLocal);
  for (const std::uint32_t beyond : {65'536U, std::numeric_limits<std::uint32_t>::max()}) {
    const Status status = read(beyond, beyond, beyond, beyond, -1);
    EXPECT_EQ(status.code, Code::kInternal);
    EXPECT_EQ(status.source, Source::kPlugin);
    EXPECT_EQ(status.retry, Retry::kNever);
    EXPECT_EQ(status.peer_status, 0);
    EXPECT_EQ(status.os_error, 0);
  }
  EXPECT_EQ(read(0, 0, 0, 0, 0).message,
            "plugin test_plugin broke the rules of its ABI: function: it failed with the code 0");
}

} // namespace
} // namespace culvert::test
