#include "command.hpp"
#include "memory.hpp"
#include "notify.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

namespace culvert::command {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) { // not by nohup
    sigaddset(&set, SIGHUP);
  }
  return set;
}

std::string word_of(int signal) {
  return std::string("SIG") + sigabbrev_np(signal);
}

void say_what_drains(const Serving &serving, int signal) {
  std::uint64_t tunnels = 0;
  for (const RoleId role : serving.roles) {
    tunnels += serving.engine.stats(role).tunnels_open;
  }
  serving.log.write(
      LogLevel::kInfo,
      "draining: nothing new is accepted, and open tunnels may end by themselves; a second "
      "signal ends at once",
      {{"signal", word_of(signal)},
       {"tunnels", std::to_string(tunnels)},
       {"seconds", std::to_string(serving.drain_grace_ms / 1000)}});
}

/// Says that the process is ready once no listener waits for its first registration.
bool tell_ready(const Serving &serving, Notify &notify) {
  const auto waiting =
      std::count_if(serving.roles.begin(), serving.roles.end(), [&serving](RoleId role) {
        return serving.engine.stats(role).state == RoleStats::State::kStarting;
      });
  const std::string all = std::to_string(serving.roles.size());
  if (waiting > 0) {
    notify.waiting(std::to_string(waiting) + " of " + all +
                   " roles not registered at the relay yet; the log says why");
    return false;
  }
  notify.ready("roles: " + all);
  return true;
}

/// Before the process is ready, the manager hears nothing of it.
ReloadAnswer reload(const Serving &serving, bool ready, Notify &notify) {
  if (ready) {
    notify.reloading();
  }
  ReloadAnswer answer = serving.reload();
  if (ready) {
    notify.ready(answer.reloaded ? "reloaded" : "not reloaded; the log has the mistakes");
  }
  return answer;
}

/// A shard that hangs does not answer, so that the manager ends the process. While it drains no
/// shard is asked: a second signal must be heard.
void feed_watchdog(const Serving &serving, bool draining, Notify &notify) {
  if (notify.watchdog_due()) {
    for (unsigned shard = 0; !draining && shard < serving.shards; ++shard) {
      (void)serving.engine.shard_stats(shard);
    }
    notify.watchdog();
  }
}

/// Waits for a signal for at most `timeout_ms`; its number, or 0 when none came.
int wait_for_signal(unsigned timeout_ms) {
  const sigset_t set = ending_signals();
  const timespec timeout{timeout_ms / 1000, static_cast<long>(timeout_ms % 1000) * 1'000'000};
  return std::max(sigtimedwait(&set, nullptr, &timeout), 0);
}

} // namespace

void say_why(const std::string &line) {
  constexpr int kPatienceMs = 1000;
  std::string text = line.substr(0, PIPE_BUF - 1); // a pipe takes it in one write
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  text += '\n';
  write_stderr_line(text, kPatienceMs); // when nobody takes it, the exit code says the rest
}

void finish_output() {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) {
    return;
  }
  const std::string reason = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
  throw Refusal{kExitFailure,
                "cannot write to standard output" + reason + "; what was printed is not complete"};
}

void block_signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void raise_open_files(Log &log) {
  constexpr rlim_t kFewOpenFiles = 1'000;
  constexpr rlim_t kFilesOfTunnel = 3; // at most
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  const bool raised = before == limit.rlim_max || setrlimit(RLIMIT_NOFILE, &limit) == 0;
  const rlim_t now = raised ? limit.rlim_max : before;
  log.write(LogLevel::kDebug, "open files",
            {{"limit", std::to_string(now)}, {"before", std::to_string(before)}});
  if (now < kFewOpenFiles) {
    log.write(LogLevel::kWarn,
              "this process may have few open files, so that few tunnels fit into it; raise its "
              "limit (ulimit -n, or LimitNOFILE of its unit)",
              {{"limit", std::to_string(now)}, {"tunnels", std::to_string(now / kFilesOfTunnel)}});
  }
}

std::unique_ptr<Engine> make_engine(const EngineConfig &config, Log &log) {
  block_signals();
  raise_open_files(log);
  return require(Engine::create(config, log));
}

int run_until_signal(const Serving &serving) {
  constexpr unsigned kLookMs = 100; // how soon after the last tunnel's end a drained process exits
  constexpr unsigned kDropMs = 5'000; // dropping waits for nobody but a plugin that owes an answer
  constexpr unsigned kMemoryMs = 10'000; // between two looks at the memory
  int signals = 0;
  std::uint64_t looks_left = 0; // once it ends
  std::uint64_t looks = 0;
  FreeMemory memory;
  Notify notify(serving.log);
  bool ready = false;
  while (!serving.engine.wait_stopped(0)) {
    ready = ready || signals > 0 || tell_ready(serving, notify);
    feed_watchdog(serving, signals > 0, notify);
    if (++looks % (kMemoryMs / kLookMs) == 0) {
      memory.give_back();
    }
    const int number = wait_for_signal(kLookMs);
    if (serving.reload && serving.engine.take_reload()) {
      const ReloadAnswer answer =
          signals == 0 ? reload(serving, ready, notify)
                       : ReloadAnswer{false, {"the process drains, so it does not reload"}};
      serving.engine.answer_reload(answer.reloaded, answer.sentences);
    }
    if (number == SIGHUP && serving.reload) {
      if (signals == 0) {
        reload(serving, ready, notify);
      }
    } else if (number != 0) {
      if (++signals == 1) {
        notify.stopping();
        say_what_drains(serving, number);
        serving.engine.drain();
      } else {
        serving.log.write(LogLevel::kInfo, "second signal: ending at once",
                          {{"signal", word_of(number)}});
        serving.engine.drop();
      }
      looks_left = (signals == 1 ? serving.drain_grace_ms + kDropMs : kDropMs) / kLookMs;
    } else if (signals > 0 && --looks_left == 0) {
      say_why("culvert: a plugin has not answered, so that not all could end; ended without it");
      std::_Exit(kExitFailure);
    }
  }
  return kExitOk;
}

void run_until_signal(Log &log, const std::function<void()> &reload) {
  Notify notify(log);
  notify.ready("answering");
  const sigset_t set = ending_signals();
  for (int number = 0; sigwait(&set, &number) == 0 && number == SIGHUP;) {
    notify.reloading();
    reload();
    notify.ready("answering");
  }
  notify.stopping();
}

} // namespace culvert::command
