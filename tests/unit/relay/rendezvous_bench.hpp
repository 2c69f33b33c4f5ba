// Rendezvous with its registry, without connections: a sender that is parked by hand.
#pragma once

#include "role/relay/rendezvous.hpp"

#include "support/silent_log.hpp"
#include "support/sim/sim_world.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace culvert::test {

class TestSender final : public ParkedSender {
public:
  TestSender() {
    bounds.pending_per_entity = 3;
    bounds.pending_per_source = 3;
  }
  [[nodiscard]] const RelayLimits &limits() const override { return bounds; }
  Status offer(SlabHandle pending, const RegisteredListener &listener,
               const std::string &capability) override {
    if (!refusal.ok()) {
      return refusal;
    }
    handle = pending;
    listeners.push_back(listener.id);
    capabilities.push_back(capability);
    return {};
  }
  void on_unmet(const Status &status) override {
    unmet.push_back(status.code);
    why = status.message;
  }

  RelayLimits bounds;
  Status refusal; // of the offer
  SlabHandle handle;
  std::vector<std::string> listeners;
  std::vector<std::string> capabilities;
  std::vector<Code> unmet;
  std::string why; // of the latest
};

class RendezvousTest : public testing::Test {
protected:
  void listen(const std::string &id, std::uint32_t slot) {
    ASSERT_TRUE(registry.add({"a", "p", id, channel(slot), "relay", 443}, 25).ok());
  }
  static ChannelRef channel(std::uint32_t slot) { return {1, {slot, 1}}; }
  std::uint32_t slot_of(const std::string &id) {
    return registry.choose({"a", "p", {id}, {}}, {}, *random).value().channel.slot.index;
  }
  Result<SlabHandle> park(TestSender &sender) {
    return table.park(sender, {"a", "p", {}, {}}, "x");
  }
  Code redeem(const std::string &capability, const std::string &protocol = "p") {
    const auto met = table.redeem(capability, protocol);
    return met.ok() ? Code::kOk : met.status().code;
  }

  SimWorld world{1};
  SimIo &io = world.make_io("relay");
  std::unique_ptr<Random> random = world.make_random();
  SilentLog log;
  Shard shard{io, *random, log, 7};
  ListenerRegistry registry;
  Digests digests;
  Rendezvous table{shard, registry, digests};
  TestSender sender;
};

} // namespace culvert::test
