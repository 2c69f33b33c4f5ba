// What the tests of the plugin host stand on: one simulated shard, the services of an engine, and a
// log that keeps its lines.
#pragma once

#include "crypto/secret.hpp"
#include "plugin/plugin_set.hpp"
#include "support/sim/sim_clock.hpp"
#include "support/sim/sim_log.hpp"
#include "support/sim/sim_world.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>

namespace culvert::test {

struct PluginWorld {
  SimWorld sim{1};
  SimIo &io = sim.make_io("shard");
  SimLog log{sim};
  std::unique_ptr<Random> random = sim.make_random();
  SimClock clock{sim};
  SecretStore secrets;
  Shard shard{io, *random, log, 3};
  HostServices services{log, *random, clock, secrets};
  PluginSet plugin_set{services, {}};

  /// Runs the loop until the operation is done.
  template <typename Operation> bool run(const Operation &operation) {
    return sim.run_until([&] { return !operation.in_flight(); }, 60'000);
  }
  [[nodiscard]] bool logged(std::string_view part) const {
    for (const std::string &line : log.lines()) {
      if (line.find(part) != std::string::npos) {
        return true;
      }
    }
    return false;
  }
};

/// An entry of one kind, to be changed by a test.
struct TestEntry {
  culvert_kind kind;
  culvert_plugin entry;

  TestEntry(const char *kind_id, const void *functions) : kind{kind_id, functions} {
    entry = {CULVERT_PLUGIN_MAGIC,
             sizeof(culvert_plugin),
             CULVERT_ABI_MINOR,
             0,
             1,
             &kind,
             "test_plugin",
             "1.0.0",
             "Culvert",
             "MIT",
             "for a test",
             "",
             nullptr,
             0,
             0,
             nullptr};
  }
  TestEntry(const TestEntry &) = delete;
  TestEntry &operator=(const TestEntry &) = delete;
};

/// What an owner of an operation hears.
template <typename Operation> struct Listener {
  Listener() { operation.template bind<&Listener::on_done>(*this); }
  void on_done(Outcome) { ++times; }
  Operation operation;
  int times = 0;
};

} // namespace culvert::test
