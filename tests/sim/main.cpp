// The whole world, seed after seed.
//
//   sim_world --seed N [--log]           one seed; --log shows its log
//   sim_world --seeds A..B [--totals F]  many; their totals go to standard output, and into F
//   sim_world --again A..B               each twice, and once more in a process of its own: one run
//   sim_world --hashes A..B              prints the trace hash of each
//   sim_world --storm A..B               crowds of listeners and apps (storm.hpp)
//   sim_world --sum F...                 adds up what --totals wrote and asserts the sums
//
// A seed that fails prints what failed and the command that runs it again.
#include "seeded_openssl.hpp"
#include "storm.hpp"
#include "totals.hpp"
#include "world_run.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <unistd.h>

namespace culvert::simtest {
namespace {

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
};

std::string &program() {
  static std::string name;
  return name;
}

constexpr std::size_t kReplayBytes = 4096;

/// What an abort prints, ready before it happens.
char *replay() {
  static char line[kReplayBytes];
  return line;
}

std::string command_of(std::uint64_t seed) {
  return program() + " --seed " + std::to_string(seed) + " --log";
}

void on_abort(int) {
  const char words[] = "\nthis seed aborted; run it again with: ";
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
  written = write(STDERR_FILENO, replay(), std::strlen(replay()));
  written = write(STDERR_FILENO, "\n", 1);
}

void print_failure(const std::string &what, const std::string &failures,
                   const std::string &command) {
  std::cout << what << " failed:\n" << failures << "  run it again with: " << command << std::endl;
}

/// The run lives on where it failed: operations of it may be in flight.
std::unique_ptr<WorldRun> run_seed(std::uint64_t seed, bool &held) {
  std::snprintf(replay(), kReplayBytes, "%s", command_of(seed).c_str());
  seed_openssl(seed);
  auto run = std::make_unique<WorldRun>(seed);
  held = run->run();
  if (!held) {
    std::string failures;
    for (const std::string &failure : run->failures()) {
      failures += "  " + failure + '\n';
    }
    print_failure("seed " + std::to_string(seed), failures, command_of(seed));
  }
  return run;
}

int run_one(std::uint64_t seed, bool show_log) {
  bool held = false;
  std::unique_ptr<WorldRun> run = run_seed(seed, held);
  if (show_log) {
    for (const std::string &line : run->log().lines()) {
      std::cout << line << '\n';
    }
  }
  if (show_log && !held) {
    std::cout << run->state();
  }
  std::cout << text_of(run->totals()) << "trace " << run->trace_hash() << std::endl;
  if (!held) {
    run.release();
  }
  return held ? 0 : 1;
}

int run_many(const Seeds &seeds, const char *totals_file) {
  if (totals_file != nullptr) {
    std::remove(totals_file); // what an earlier run left must not count
  }
  Totals totals;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    bool held = false;
    std::unique_ptr<WorldRun> run = run_seed(seed, held);
    add(totals, run->totals());
    if (!held) {
      ++failed;
      run.release();
    }
  }
  std::cout << text_of(totals) << failed << " seeds failed" << std::endl;
  if (totals_file != nullptr && !write_totals(totals, totals_file)) {
    std::cout << "cannot write " << totals_file << std::endl;
    return 1;
  }
  return failed == 0 ? 0 : 1;
}

int print_hashes(const Seeds &seeds) {
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    bool held = false;
    std::unique_ptr<WorldRun> run = run_seed(seed, held);
    std::cout << seed << ' ' << run->trace_hash() << std::endl;
    if (!held) {
      run.release();
    }
  }
  return 0;
}

std::string hashes_of_another_process(const Seeds &seeds) {
  const std::string command =
      program() + " --hashes " + std::to_string(seeds.first) + ".." + std::to_string(seeds.last);
  std::string output;
  FILE *pipe = popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, got);
  }
  return pclose(pipe) == 0 ? output : "it failed\n" + output;
}

int run_again(const Seeds &seeds) {
  std::string here[2];
  for (std::string &hashes : here) {
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
      bool held = false;
      std::unique_ptr<WorldRun> run = run_seed(seed, held);
      hashes += std::to_string(seed) + ' ' + std::to_string(run->trace_hash()) + '\n';
      if (!held) {
        run.release();
      }
    }
  }
  const std::string there = hashes_of_another_process(seeds);
  const bool same = here[0] == here[1] && here[0] == there;
  std::cout << here[0];
  if (!same) {
    std::cout << "again:\n" << here[1] << "in another process:\n" << there;
  }
  std::cout << (same ? "every seed is one run" : "one seed came out as different runs")
            << std::endl;
  return same ? 0 : 1;
}

int run_storms(const Seeds &seeds) {
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    const std::string name = std::to_string(seed);
    const std::string command = program() + " --storm " + name + ".." + name;
    std::snprintf(replay(), kReplayBytes, "%s", command.c_str());
    seed_openssl(seed);
    auto storm = std::make_unique<Storm>(seed);
    const std::string failed = storm->run();
    if (!failed.empty()) {
      print_failure("storm " + name, failed, command);
      static_cast<void>(storm.release());
      return 1;
    }
    std::cout << "storm " << name << " held" << std::endl;
  }
  return 0;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool right = error == std::errc() && end == text.data() + text.size();
  return right ? std::optional(value) : std::nullopt;
}

std::optional<Seeds> range(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = number(text.substr(0, dots));
  const auto last = number(text.substr(dots + 2));
  return first && last && *first <= *last ? std::optional(Seeds{*first, *last}) : std::nullopt;
}

int usage() {
  std::cerr << "usage: sim_world --seed N [--log] | --seeds A..B [--totals FILE] | --again A..B | "
               "--hashes A..B | --storm A..B | --sum FILE...\n";
  return 2;
}

int main_of(const std::vector<std::string> &arguments) {
  if (arguments.size() < 2) {
    return usage();
  }
  const std::string &what = arguments[0];
  if (what == "--sum") {
    return assert_sums({arguments.begin() + 1, arguments.end()}) ? 0 : 1;
  }
  if (what == "--seed") {
    const auto seed = number(arguments[1]);
    return seed ? run_one(*seed, arguments.size() > 2 && arguments[2] == "--log") : usage();
  }
  const auto seeds = range(arguments[1]);
  if (!seeds) {
    return usage();
  }
  if (what == "--seeds") {
    const bool writes = arguments.size() == 4 && arguments[2] == "--totals";
    return run_many(*seeds, writes ? arguments[3].c_str() : nullptr);
  }
  if (what == "--storm") {
    return run_storms(*seeds);
  }
  if (what == "--again") {
    return run_again(*seeds);
  }
  return what == "--hashes" ? print_hashes(*seeds) : usage();
}

} // namespace
} // namespace culvert::simtest

int main(int argc, char **argv) {
  culvert::simtest::program() = argv[0];
  std::signal(SIGABRT, &culvert::simtest::on_abort);
  return culvert::simtest::main_of({argv + 1, argv + argc});
}
