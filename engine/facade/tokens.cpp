#include "core/clock.hpp"
#include "crypto/secret.hpp"
#include "facade/client_role.hpp"
#include "facade/program_directory.hpp"
#include "facade/rules.hpp"
#include "role/relay/relay.hpp"

namespace culvert {
namespace {

/// A plugin's answer without a running engine: one shard on the calling thread, for one operation.
class Bench {
public:
  Bench(const EngineConfig &config, Log &log)
      : plugins({log, random, clock, secrets}, plugin_directory(config)), thread(0, log) {}
  Status start() { return thread.start(false); }

  template <typename Value, typename Begin>
  Result<Value> run(PluginOperation<Value> &operation, Begin begin) {
    begin();
    while (operation.in_flight()) {
      if (!thread.io().run_ready() && operation.in_flight()) {
        thread.io().wait(Timers::kNever);
      }
    }
    return std::move(operation.result);
  }

  SystemRandom random;
  SystemClock clock;
  SecretStore secrets;
  PluginRegistry plugins;
  ShardThread thread;
};

struct Ignore {
  void done(Outcome) {}
};

class NoLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

} // namespace

Result<IssuedToken> issue_token(const EngineConfig &engine, const ClientConfig &client,
                                std::int64_t lifetime_s) {
  NoLog log;
  Bench bench(engine, log);
  if (Status status = bench.start(); !status.ok()) {
    return status;
  }
  Result<ClientUnits> units = ClientUnits::make(bench.plugins, bench.secrets, client, lifetime_s);
  if (!units.ok()) {
    return units.status();
  }
  ClientPart part;
  if (Status status = part.attach(units.value(), bench.thread.shard()); !status.ok()) {
    return status;
  }
  const ConnectionString &connection = client.connection;
  const Result<std::string> audience =
      part.transport->audience({connection.host, connection.port, connection.entity_path});
  if (!audience.ok()) {
    return audience.status();
  }
  Ignore ignore;
  AcquireToken operation;
  operation.bind<&Ignore::done>(ignore);
  Result<Token> token =
      bench.run(operation, [&] { part.auth->acquire(operation, audience.value()); });
  if (!token.ok()) {
    return token.status();
  }
  return IssuedToken{Secret::take(token.value().text), token.value().expires_s};
}

Status check_token(const EngineConfig &engine, const TokenQuestion &question) {
  if (Status status = Relay::check_names(question.names); !status.ok()) {
    return status;
  }
  NoLog log;
  Bench bench(engine, log);
  if (Status status = bench.start(); !status.ok()) {
    return status;
  }
  Result<std::unique_ptr<Unit>> unit =
      bench.plugins.make_unit(question.auth, PluginKind::kAuth, {});
  if (!unit.ok()) {
    return unit.status();
  }
  Result<std::unique_ptr<Auth>> auth = unit.value()->auth(bench.thread.shard());
  if (!auth.ok()) {
    return auth.status();
  }
  const std::vector<Rule> rules = to_rules(question.rules, bench.secrets);
  std::vector<const Rule *> applying;
  applying.reserve(rules.size());
  for (const Rule &rule : rules) {
    applying.push_back(&rule);
  }
  TokenCheck check;
  check.token = question.token.reveal();
  check.path = question.path;
  check.rules = &applying;
  check.names = &question.names;
  check.right_wanted = question.wanted.manage   ? kRightManage
                       : question.wanted.listen ? kRightListen
                                                : kRightSend;
  Ignore ignore;
  VerifyToken operation;
  operation.bind<&Ignore::done>(ignore);
  const Result<Grant> grant = bench.run(operation, [&] { auth.value()->verify(operation, check); });
  return grant.ok() ? Status{} : grant.status();
}

} // namespace culvert
