#include "core/clock.hpp"
#include "crypto/secret.hpp"
#include "facade/client_role.hpp"
#include "facade/operation_bench.hpp"
#include "facade/plugin_setup.hpp"
#include "facade/rules.hpp"
#include "role/relay/policy.hpp"

namespace culvert {
namespace {

/// One question to plugins of its own.
struct Question {
  explicit Question(const EngineConfig &config)
      : plugins({bench.log(), random, clock, secrets}, plugin_directories(config)) {}
  Status start(const EngineConfig &config) {
    Status status = configure_plugins(plugins, secrets, config);
    return status.ok() ? bench.start() : status;
  }

  SystemRandom random;
  SystemClock clock;
  SecretStore secrets;
  OperationBench bench;
  PluginRegistry plugins;
};

} // namespace

Result<IssuedToken> issue_token(const EngineConfig &engine, const ClientConfig &client,
                                std::int64_t lifetime_s) {
  Question question(engine);
  if (Status status = question.start(engine); !status.ok()) {
    return status;
  }
  Result<ClientUnits> units =
      ClientUnits::make(question.plugins, question.secrets, client, lifetime_s);
  if (!units.ok()) {
    return units.status();
  }
  ClientPart part;
  if (Status status = part.attach_plugins(units.value(), question.bench.shard()); !status.ok()) {
    return status;
  }
  const ConnectionString &connection = client.connection;
  const Result<std::string> audience =
      part.transport->audience({connection.host, connection.port, connection.entity_path});
  if (!audience.ok()) {
    return audience.status();
  }
  Result<Token> token = question.bench.run<AcquireToken>(
      [&](AcquireToken &operation) { part.auth->acquire(operation, audience.value()); });
  if (!token.ok()) {
    return token.status();
  }
  return IssuedToken{Secret::take(token.value().text), token.value().expires_s};
}

Status check_token(const EngineConfig &engine, const TokenQuestion &asked) {
  Question question(engine);
  RelayOptions relay;
  relay.names = asked.names;
  relay.entities = {{asked.path, {}}};
  SecretLease lease(question.secrets);
  relay.own_rules = to_rules(asked.rules, lease);
  if (Status status = RelayPolicy::check(relay); !status.ok()) {
    return status;
  }
  if (Status status = question.start(engine); !status.ok()) {
    return status;
  }
  Result<std::unique_ptr<Unit>> unit =
      question.plugins.make_unit(asked.auth, PluginKind::kAuth, {});
  if (!unit.ok()) {
    return unit.status();
  }
  Result<std::unique_ptr<Auth>> auth = unit.value()->auth(question.bench.shard());
  if (!auth.ok()) {
    return auth.status();
  }
  std::vector<const Rule *> applying;
  applying.reserve(relay.own_rules.size());
  for (const Rule &rule : relay.own_rules) {
    applying.push_back(&rule);
  }
  TokenCheck check;
  check.token = asked.token.reveal();
  check.path = asked.path;
  check.rules = &applying;
  check.names = &asked.names;
  check.right_wanted = asked.wanted.manage   ? kRightManage
                       : asked.wanted.listen ? kRightListen
                                             : kRightSend;
  const Result<Grant> grant = question.bench.run<VerifyToken>(
      [&](VerifyToken &operation) { auth.value()->verify(operation, check); });
  return grant.ok() ? Status{} : grant.status();
}

} // namespace culvert
