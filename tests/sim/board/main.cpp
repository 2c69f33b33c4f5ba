// The fault board: every fault at every step of a tunnel's life, one a run.
//
//   fault_board PAGE                   runs every cell; the table must be the one of the page
//   fault_board --write PAGE           and writes the table into the page
//   fault_board --every                every call that a fault can strike, without the table
//   fault_board --one FAULT SCENE N    one run again, with its log
//   fault_board --calls SCENE          what the roles ask for in a scene, numbered
//
// The table stands between two comments in the page.
#include "../seeded_openssl.hpp"
#include "board.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace culvert::simtest {
namespace {

constexpr char kBegin[] = "<!-- the table of fault_board begins -->\n";
constexpr char kEnd[] = "<!-- the table of fault_board ends -->\n";
constexpr std::size_t kReplayBytes = 256;

/// The run that goes on, for an abort.
char *replay() {
  static char line[kReplayBytes];
  return line;
}

void on_abort(int) {
  const char words[] = "\nthis run aborted; run it again with: fault_board --one ";
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
  written = write(STDERR_FILENO, replay(), std::strlen(replay()));
  written = write(STDERR_FILENO, "\n", 1);
}

/// Null when something did not hold: the stage is then leaked, operations of it may be in flight.
std::unique_ptr<Stage> run_stage(Scene scene, const Fault *fault, std::size_t at, bool shows_log) {
  seed_openssl(1);
  auto stage = std::make_unique<Stage>(scene);
  const bool held = stage->run(fault, at);
  if (shows_log) {
    for (const std::string &line : stage->log()) {
      std::cout << line << '\n';
    }
  }
  for (const std::string &failure : stage->failures()) {
    std::cout << "  " << failure << '\n';
  }
  if (!held) {
    static_cast<void>(stage.release());
  }
  return stage;
}

bool run_point(const Point &point, bool shows_log) {
  std::snprintf(replay(), kReplayBytes, "%s", command_of(point).c_str());
  const bool held = run_stage(point.scene, point.fault, point.at, shows_log) != nullptr;
  if (!held) {
    std::cout << "failed at the " << word(point.part) << " in " << word(point.step)
              << "; run it again with: fault_board --one " << command_of(point) << std::endl;
  }
  return held;
}

std::optional<Calm> run_calm() {
  Calm calm;
  for (std::size_t scene = 0; scene < kScenes; ++scene) {
    const auto stage = run_stage(static_cast<Scene>(scene), nullptr, 0, false);
    if (!stage) {
      std::cout << "the scene " << word(static_cast<Scene>(scene)) << " fails without a fault\n";
      return std::nullopt;
    }
    calm[scene] = stage->asked();
  }
  return calm;
}

std::size_t run_all(const std::vector<Point> &points) {
  std::size_t failed = 0;
  for (const Point &point : points) {
    failed += run_point(point, false) ? 0 : 1;
  }
  std::cout << points.size() << " runs, " << failed << " failed" << std::endl;
  return failed;
}

std::string read(const char *page) {
  std::ostringstream text;
  text << std::ifstream(page).rdbuf();
  return text.str();
}

int run_board(const char *page, bool writes) {
  const std::string text = read(page);
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    std::cout << page << " has no place for the table\n";
    return 1;
  }
  const std::optional<Calm> calm = run_calm();
  if (!calm) {
    return 1;
  }
  const std::vector<Point> all = points(*calm, false);
  std::vector<std::string> wrong;
  const std::string made =
      text.substr(0, begin) + kBegin + '\n' + table(all, wrong) + '\n' + text.substr(end);
  for (const std::string &line : wrong) {
    std::cout << line << '\n';
  }
  if (run_all(all) > 0 || !wrong.empty()) {
    return 1;
  }
  if (writes) {
    return (std::ofstream(page) << made).flush() ? 0 : 1;
  }
  if (made != text) {
    std::cout << "the table of " << page << " is not the one of this run; write it with: "
              << "fault_board --write " << page << '\n';
  }
  return made == text ? 0 : 1;
}

int run_every() {
  const std::optional<Calm> calm = run_calm();
  return calm && run_all(points(*calm, true)) == 0 ? 0 : 1;
}

int print_calls(Scene scene) {
  const auto stage = run_stage(scene, nullptr, 0, true);
  if (!stage) {
    return 1;
  }
  for (std::size_t i = 0; i < stage->asked().size(); ++i) {
    const Asked &asked = stage->asked()[i];
    std::cout << i << ' ' << word(asked.part) << ' ' << word(asked.step) << ' '
              << word(asked.operation) << ' ' << asked.socket << ' ' << asked.bytes << '\n';
  }
  return 0;
}

int usage() {
  std::cerr
      << "usage: fault_board [--write] PAGE | --every | --one FAULT SCENE N | --calls SCENE\n";
  return 2;
}

int main_of(const std::vector<std::string> &arguments) {
  const std::string first = arguments.empty() ? "" : arguments[0];
  if (arguments.size() == 1 && first == "--every") {
    return run_every();
  }
  if (arguments.size() == 2 && first == "--write") {
    return run_board(arguments[1].c_str(), true);
  }
  if (arguments.size() == 2 && first == "--calls") {
    const std::optional<Scene> scene = parse_scene(arguments[1]);
    return scene ? print_calls(*scene) : usage();
  }
  if (arguments.size() == 4 && first == "--one") {
    const auto point = parse_point(arguments[1], arguments[2], arguments[3]);
    if (!point) {
      return usage();
    }
    return run_point(*point, true) ? 0 : 1;
  }
  if (arguments.size() == 1 && !first.starts_with("-")) {
    return run_board(first.c_str(), false);
  }
  return usage();
}

} // namespace
} // namespace culvert::simtest

int main(int argc, char **argv) {
  std::signal(SIGABRT, &culvert::simtest::on_abort);
  return culvert::simtest::main_of({argv + 1, argv + argc});
}
