#include "totals.hpp"

#include <fstream>
#include <iostream>

namespace culvert::simtest {

namespace {

constexpr std::uint64_t kGibibyte = 1024ULL * 1024 * 1024;
constexpr std::uint64_t kFaultsEach = 100;
constexpr std::uint64_t kJoinsEach = 1'000;
constexpr std::uint64_t kFullSeeds = 1'000;

struct Number {
  const char *name;
  std::uint64_t Totals::*value;
  std::uint64_t wanted; // of a thousand seeds
};
constexpr Number kNumbers[] = {
    {"seeds", &Totals::seeds, 0},
    {"tls_seeds", &Totals::tls_seeds, 30},
    {"unix_target_seeds", &Totals::unix_seeds, 100},
    {"checked_bytes", &Totals::checked_bytes, kGibibyte},
    {"sessions", &Totals::sessions, 5'000},
    {"whole", &Totals::whole, 2'500},
    {"broken", &Totals::broken, 500},
    {"unmet", &Totals::unmet, 100},
    {"moved_joins", &Totals::moved, kJoinsEach},
    {"same_shard_joins", &Totals::same, kJoinsEach},
    {"hasty_joins", &Totals::hasty, kJoinsEach},
    {"moves_with_unread_bytes", &Totals::hasty_moved, kJoinsEach / 2},
    {"forged_capabilities", &Totals::forged, 500},
    {"connections_ended_by_fin", &Totals::fins, 300},
    {"silences_of_minutes", &Totals::silences, 100},
    {"renewals", &Totals::renewals, 1'000},
    {"connections_by_proxy", &Totals::proxied, 1'000},
    {"tunnels_of_removed_entities", &Totals::dropped, 15},
};

/// Where a fault cannot strike: these are operations of connections that do not exist yet, or, the
/// clock's jump, of no connection at all.
bool can_strike(SimFault fault, SimPhase phase) {
  switch (fault) {
  case SimFault::kNoBuffersOnConnect:
  case SimFault::kNoDescriptorOnOpen:
  case SimFault::kNoDescriptorOnAccept:
  case SimFault::kConnectRefused:
  case SimFault::kConnectUnreachable:
  case SimFault::kConnectTimeout:
    return phase == SimPhase::kSetUp;
  case SimFault::kClockJump:
    return phase == SimPhase::kNone;
  default:
    return phase != SimPhase::kNone;
  }
}

template <typename Visit> void for_each_count(Visit visit) {
  for (std::size_t kind = 0; kind < kSimFaultKinds; ++kind) {
    for (std::size_t phase = 0; phase < kSimPhases; ++phase) {
      visit(static_cast<SimFault>(kind), static_cast<SimPhase>(phase));
    }
  }
}

bool read_totals(Totals &totals, const std::string &file) {
  std::ifstream in(file);
  for (const Number &number : kNumbers) {
    in >> totals.*number.value;
  }
  for (std::uint64_t &count : totals.events) {
    in >> count;
  }
  for_each_count([&](SimFault fault, SimPhase phase) {
    std::uint64_t count = 0;
    in >> count;
    for (; in && count > 0; --count) {
      totals.faults.add(fault, phase);
    }
  });
  return static_cast<bool>(in);
}

} // namespace

void add(Totals &sum, const Totals &one) {
  for (const Number &number : kNumbers) {
    sum.*number.value += one.*number.value;
  }
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    sum.events[kind] += one.events[kind];
  }
  sum.faults.add(one.faults);
}

std::string text_of(const Totals &totals) {
  std::string text;
  for (const Number &number : kNumbers) {
    text += std::string(number.name) + ' ' + std::to_string(totals.*number.value) + '\n';
  }
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    text += std::string(traits(static_cast<EventKind>(kind)).word) + ' ' +
            std::to_string(totals.events[kind]) + '\n';
  }
  return text + "fault set_up stream closing none\n" + totals.faults.text();
}

bool write_totals(const Totals &totals, const std::string &file) {
  std::ofstream out(file);
  for (const Number &number : kNumbers) {
    out << totals.*number.value << '\n';
  }
  for (const std::uint64_t count : totals.events) {
    out << count << '\n';
  }
  for_each_count(
      [&](SimFault fault, SimPhase phase) { out << totals.faults.of(fault, phase) << '\n'; });
  return static_cast<bool>(out.flush());
}

bool assert_sums(const std::vector<std::string> &files) {
  Totals sum;
  for (const std::string &file : files) {
    Totals one;
    if (!read_totals(one, file)) {
      std::cout << file << " has no totals: its seeds did not run to their end" << std::endl;
      return false;
    }
    add(sum, one);
  }
  std::cout << text_of(sum);
  bool reached = sum.seeds > 0;
  const auto check = [&](const std::string &name, std::uint64_t value, std::uint64_t wanted) {
    // Of fewer seeds half the share is asked, rounded down: what comes 13 times a hundred came 8
    // times in one, and what comes twice did not come at all.
    const std::uint64_t slack = sum.seeds < kFullSeeds ? 2 : 1;
    if (value < wanted * sum.seeds / (kFullSeeds * slack)) {
      std::cout << name << ": " << value << " in " << sum.seeds << " seeds; a thousand need "
                << wanted << '\n';
      reached = false;
    }
  };
  for (const Number &number : kNumbers) {
    check(number.name, sum.*number.value, number.wanted);
  }
  for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
    const EventTraits &of_kind = traits(static_cast<EventKind>(kind));
    check(std::string(of_kind.word), sum.events[kind], of_kind.wanted);
  }
  for_each_count([&](SimFault fault, SimPhase phase) {
    if (can_strike(fault, phase)) {
      check(std::string(word(fault)) + " in " + std::string(word(phase)),
            sum.faults.of(fault, phase), kFaultsEach);
    }
  });
  std::cout << (reached ? "all totals are reached" : "not all totals are reached") << std::endl;
  return reached;
}

} // namespace culvert::simtest
