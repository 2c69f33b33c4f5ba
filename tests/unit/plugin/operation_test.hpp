// A resolver that does what a script says, for tests of calls that complete now or later.
#pragma once

#include "plugin_world.hpp"

namespace culvert::test {

/// The unit is this record: what the plugin shall do, and the records it has.
struct Script {
  std::uint32_t progress = CULVERT_DONE;
  bool completes_inside = false;
  std::uint32_t address_count = 1;
  std::uint32_t family = CULVERT_IPV4;
  std::uint32_t code = CULVERT_OK;
  culvert_resolve *pending = nullptr;
};

inline void answer(const Script &script, culvert_resolve *record) {
  record->status.code = script.code;
  record->status.source = CULVERT_SOURCE_LOCAL;
  record->status.retry = CULVERT_RETRY_BACKOFF;
  record->address_count = script.address_count;
  record->lifetime_ms = 5'000;
  record->addresses[0].family = script.family;
  record->addresses[0].bytes[0] = 10;
  record->addresses[0].bytes[3] = 7;
}

inline std::uint32_t resolve(void *instance, culvert_resolve *record) {
  Script &script = *static_cast<Script *>(instance);
  if (script.progress == CULVERT_DONE) {
    answer(script, record);
  } else {
    script.pending = record;
  }
  if (script.completes_inside) {
    record->complete(record);
  }
  return script.progress;
}

class OperationTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(world_.plugin_set.register_static(entry_.entry).ok());
    auto unit = world_.plugin_set.make_unit("test_plugin", PluginKind::kResolver, {});
    ASSERT_TRUE(unit.ok()) << unit.status().message;
    unit_ = std::move(unit.value());
    auto resolver = unit_->resolver(world_.shard);
    ASSERT_TRUE(resolver.ok()) << resolver.status().message;
    resolver_ = std::move(resolver.value());
  }

  /// The script is the unit, and without attach() the instance.
  static inline Script script_; // create() has no other way to the test
  static void *create(const culvert_host *, culvert_status *) {
    script_ = {};
    return &script_;
  }

  PluginWorld world_;
  culvert_resolver functions_{
      sizeof functions_, 0, {&create, nullptr, nullptr, nullptr}, &resolve, nullptr};
  TestEntry entry_{CULVERT_KIND_RESOLVER, &functions_};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<Resolver> resolver_;
  Listener<ResolveName> owner_;
};

} // namespace culvert::test
