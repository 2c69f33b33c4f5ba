#include "service.hpp"

#include "responder.hpp"
#include "roles.hpp"

#include <algorithm>

namespace culvert::command {
namespace {

constexpr std::size_t kMistakesInLog = 20;

/// What a reload cannot change; "" if it is the same.
std::string needs_restart(const Configuration &before, const Configuration &after) {
  std::string what;
  const auto add = [&what](bool differs, const std::string &name) {
    what += differs ? (what.empty() ? "" : ", ") + name : "";
  };
  add(before.engine.shards != after.engine.shards, "shards");
  add(before.engine.backend != after.engine.backend, "the backend");
  add(before.log_level != after.log_level, "the log's level");
  add(before.log_format != after.log_format, "the log's format");
  add(before.engine.plugin_directories != after.engine.plugin_directories,
      "the directories of plugins");
  add(before.engine.admin.bind.text() != after.engine.admin.bind.text() ||
          before.engine.admin.bind_mode != after.engine.admin.bind_mode,
      "the admin endpoint");
  add(!std::equal(
          before.dns.bind.begin(), before.dns.bind.end(), after.dns.bind.begin(),
          after.dns.bind.end(),
          [](const HostPort &one, const HostPort &other) { return one.text() == other.text(); }),
      "the address of the DNS responder");
  for (const LimitField<ShardLimits> &field : limit_fields<ShardLimits>()) {
    add(before.engine.limits.*field.field != after.engine.limits.*field.field,
        "the limit " + std::string(field.name));
  }
  EngineConfig same = before.engine;
  same.plugin_settings = after.engine.plugin_settings;
  add(fingerprint(same) != fingerprint(before.engine), "the settings of plugins");
  return what;
}

class Service {
public:
  explicit Service(const ConfigSource &source) : source_(source) {}

  int run() {
    LoadedConfig loaded = load();
    refuse(loaded.mistakes, kExitUsage);
    check_plugins(loaded.configuration.engine, plugins_of(loaded.configuration));
    log_ = make_log(loaded.configuration, source_.speech);
    loaded.configuration.engine.admin.reloads = true;
    engine_ = make_engine(loaded.configuration.engine, *log_);
    const std::vector<HostPort> upstreams = require(upstreams_of(loaded.configuration.dns));
    responder_ = start_responder(loaded.configuration.dns, *log_);
    Roles roles(*engine_, *log_);
    if (const Status status = roles.start(loaded); !status.ok()) {
      refuse({{{}, status}}, exit_code_of(status));
    }
    if (responder_) {
      lead_names(*responder_, loaded.configuration, upstreams);
    }
    warn(loaded);
    remember(std::move(loaded.configuration));
    return run_until_signal({*engine_, roles.ids(), process_.engine.shards,
                             process_.engine.limits.drain_grace_ms, *log_,
                             [this, &roles] { return reload(roles); }});
  }

private:
  LoadedConfig load() {
    LoadedConfig loaded = source_.load(secrets_);
    use_proxy_of_environment(loaded);
    return loaded;
  }
  /// Of a file every mistake has this exit code: a service manager need not try again.
  void refuse(const std::vector<ConfigMistake> &mistakes, int exit_code) {
    if (mistakes.empty()) {
      return;
    }
    if (source_.file.empty()) {
      require(mistakes.front().status);
    }
    for (const ConfigMistake &mistake : mistakes) {
      say_why(line_of(source_, mistake));
    }
    throw Refusal{exit_code, "the configuration has " + std::to_string(mistakes.size()) +
                                 (mistakes.size() == 1 ? " mistake" : " mistakes") +
                                 "; nothing was started"};
  }
  /// The log has a level for them.
  void warn(const LoadedConfig &loaded) {
    for (const ConfigMistake &warning : loaded.warnings) {
      log_->write(LogLevel::kWarn, line_of(source_, warning), {});
    }
  }
  /// What later reloads are compared with; no role and no secret of one.
  void remember(Configuration configuration) {
    process_ = std::move(configuration);
    process_.relays.clear();
    process_.listeners.clear();
    process_.senders.clear();
  }

  ReloadAnswer reload(Roles &roles) {
    secrets_.begin_again();
    const LoadedConfig loaded = load();
    std::vector<ConfigMistake> mistakes = loaded.mistakes;
    if (mistakes.empty()) {
      const std::string what = needs_restart(process_, loaded.configuration);
      if (!what.empty()) {
        mistakes.push_back(
            {{}, Status::config(what + " cannot change while the process runs: restart it")});
      }
    }
    if (mistakes.empty()) {
      mistakes = Roles::check(*engine_, loaded);
    }
    if (!mistakes.empty()) {
      return say_unchanged(mistakes);
    }
    const Result<std::vector<HostPort>> upstreams = upstreams_of(loaded.configuration.dns);
    if (!upstreams.ok()) {
      return say_unchanged({{{}, upstreams.status()}});
    }
    const Result<Reloaded> done = roles.apply(loaded);
    if (done.ok() && responder_) {
      lead_names(*responder_, loaded.configuration, upstreams.value());
    }
    warn(loaded);
    return done.ok() ? say_changed(done.value()) : say_unchanged({{{}, done.status()}});
  }
  ReloadAnswer say_unchanged(const std::vector<ConfigMistake> &mistakes) {
    std::string all;
    for (std::size_t i = 0; i < mistakes.size() && i < kMistakesInLog; ++i) {
      all += (i == 0 ? "" : " | ") + line_of(source_, mistakes[i]);
    }
    log_->write(LogLevel::kError, "not reloaded: nothing has changed",
                {{"mistakes", std::to_string(mistakes.size())}, {"why", all}});
    ReloadAnswer answer;
    for (const ConfigMistake &mistake : mistakes) {
      answer.sentences.push_back(line_of(source_, mistake));
    }
    return answer;
  }
  ReloadAnswer say_changed(const Reloaded &done) {
    ReloadAnswer answer{true, {}};
    for (const Status &failure : done.failures) {
      answer.reloaded = false;
      answer.sentences.push_back(in_words_of(source_.speech, failure.message));
      log_->write(LogLevel::kError, "a role could not be changed",
                  {{"why", answer.sentences.back()}});
    }
    log_->write(LogLevel::kInfo, "reloaded",
                {{"started", std::to_string(done.started)},
                 {"updated", std::to_string(done.updated)},
                 {"stopped", std::to_string(done.stopped)},
                 {"unchanged", std::to_string(done.unchanged)},
                 {"failed", std::to_string(done.failures.size())}});
    answer.sentences.push_back(
        "started " + std::to_string(done.started) + ", updated " + std::to_string(done.updated) +
        ", stopped " + std::to_string(done.stopped) + ", unchanged " +
        std::to_string(done.unchanged) + ", failed " + std::to_string(done.failures.size()));
    return answer;
  }

  const ConfigSource &source_;
  SecretReader secrets_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<dns::Responder> responder_;
  Configuration process_;
};

} // namespace

std::string line_of(const ConfigSource &source, const ConfigMistake &mistake) {
  std::string sentence = in_words_of(source.speech, mistake.status.message);
  if (source.file.empty()) {
    return sentence;
  }
  const ConfigPlace place = mistake.place;
  return source.file +
         (place.line == 0 ? ""
                          : ":" + std::to_string(place.line) + ":" + std::to_string(place.column)) +
         ": " + sentence;
}

std::string warning_of(const ConfigSource &source, ConfigMistake warning) {
  warning.status.message = "warning: " + warning.status.message;
  return line_of(source, warning);
}

std::vector<std::string> plugins_of(const Configuration &configuration) {
  std::vector<std::string> all;
  for (const RelayConfig &relay : configuration.relays) {
    all.insert(all.end(), relay.protocols.begin(), relay.protocols.end());
    all.push_back(relay.auth);
  }
  const auto add = [&all](const ClientConfig &client) {
    all.insert(all.end(), {client.transport, client.auth, client.resolver});
  };
  std::for_each(configuration.listeners.begin(), configuration.listeners.end(), add);
  std::for_each(configuration.senders.begin(), configuration.senders.end(), add);
  std::vector<std::string> once;
  for (const std::string &id : all) {
    if (std::find(once.begin(), once.end(), id) == once.end()) {
      once.push_back(id);
    }
  }
  return once;
}

int serve(const ConfigSource &source) {
  return Service(source).run();
}

} // namespace culvert::command
