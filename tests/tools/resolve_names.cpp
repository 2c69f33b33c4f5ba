// resolve_names PLUGIN [KEY=VALUE...]: asks a resolver plugin for names, as a role would.
//
// Each line of standard input has names, which are asked for at the same time; "@MS" in front gives
// up after MS. When all have ended it prints a line for each: NAME, the addresses or the failure,
// and how long the answer may be used. A list is "a,b,c".
#include "core/clock.hpp"
#include "core/random.hpp"
#include "crypto/secret.hpp"
#include "io/epoll/epoll_io.hpp"
#include "plugin/plugin_set.hpp"
#include "tools/stderr_log.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <list>
#include <sstream>

namespace culvert::tools {
namespace {

struct Question {
  explicit Question(std::string asked) : name(std::move(asked)) {
    operation.bind<&Question::on_done>(*this);
  }
  void on_done(Outcome) {}
  void print() const {
    const Result<Addresses> &result = operation.result;
    std::string text;
    for (const Address &address : result.ok() ? result.value().addresses : std::vector<Address>()) {
      text += (text.empty() ? "" : ",") + address.host();
    }
    std::printf("%s\t%s\t%s\n", name.c_str(),
                result.ok()
                    ? text.c_str()
                    : (std::string(word(result.status().code)) + "/" +
                       std::string(word(result.status().retry)) + ": " + result.status().message)
                          .c_str(),
                result.ok() ? std::to_string(result.value().lifetime_ms).c_str() : "");
  }
  std::string name;
  ResolveName operation;
};

void answer_line(const std::string &line, Io &io, Resolver &resolver) {
  std::istringstream words(line);
  std::list<Question> questions;
  std::uint64_t give_up_ns = Timers::kNever;
  for (std::string word; words >> word;) {
    if (word.front() == '@') {
      give_up_ns = io.now_ns() + std::strtoull(word.c_str() + 1, nullptr, 10) * 1'000'000;
    } else {
      resolver.resolve(questions.emplace_back(word).operation, word);
    }
  }
  for (Question &question : questions) {
    while (question.operation.in_flight()) {
      if (io.now_ns() >= give_up_ns) {
        question.operation.abandon();
      }
      if (!io.run_ready() && question.operation.in_flight()) {
        io.wait(give_up_ns);
      }
    }
    question.print();
  }
  std::fflush(stdout);
}

int run(const std::string &id, ConfigValues values) {
  StderrLog log;
  SystemRandom random;
  const SystemClock clock;
  const SecretStore secrets;
  const std::unique_ptr<Io> io = std::move(make_epoll_io().value());
  Shard shard(*io, random, log, 0);
  PluginSet plugins({log, random, clock, secrets},
                    {std::filesystem::read_symlink("/proc/self/exe").parent_path().string()});
  auto unit = plugins.make_unit(id, PluginKind::kResolver, std::move(values));
  if (!unit.ok()) {
    std::fprintf(stderr, "resolve_names: %s\n", unit.status().message.c_str());
    return 1;
  }
  {
    const auto resolver = std::move(unit.value()->resolver(shard).value());
    for (std::string line; std::getline(std::cin, line);) {
      answer_line(line, *io, *resolver);
    }
  }
  while (io->in_flight() > 0) {
    if (!io->run_ready() && io->in_flight() > 0) {
      io->wait(Timers::kNever);
    }
  }
  return 0;
}

/// Its type follows from the setting's name.
ConfigValue value_of(const std::string &key, const std::string &text) {
  if (key == "timeout_ms" || key == "tries") {
    return std::int64_t{std::atoll(text.c_str())};
  }
  if (key != "servers" && key != "resolve") {
    return text;
  }
  std::vector<std::string> items;
  std::istringstream words(text);
  for (std::string item; std::getline(words, item, ',');) {
    items.push_back(item);
  }
  return items;
}

} // namespace
} // namespace culvert::tools

int main(int count, char **arguments) {
  if (count < 2) {
    std::fputs("usage: resolve_names PLUGIN [KEY=VALUE...]\n", stderr);
    return 2;
  }
  culvert::ConfigValues values;
  for (int i = 2; i < count; ++i) {
    const std::string setting = arguments[i];
    const std::string key = setting.substr(0, setting.find('='));
    values[key] = culvert::tools::value_of(key, setting.substr(key.size() + 1));
  }
  return culvert::tools::run(arguments[1], std::move(values));
}
