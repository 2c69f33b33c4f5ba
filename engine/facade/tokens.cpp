#include "core/clock.hpp"
#include "crypto/secret.hpp"
#include "facade/client_role.hpp"
#include "facade/operation_bench.hpp"
#include "facade/plugin_setup.hpp"
#include "facade/rules.hpp"
#include "facade/take.hpp"
#include "role/relay/policy.hpp"

namespace culvert {
namespace {

/// One question to plugins of its own.
struct Question {
  Question(const EngineConfig &config, std::unique_ptr<OperationBench> bench_of_it)
      : bench(std::move(bench_of_it)),
        plugins({bench->log(), random, clock, secrets}, plugin_directories(config)) {}

  static Result<std::unique_ptr<Question>> make(const EngineConfig &config) {
    auto bench = OperationBench::make();
    if (!bench.ok()) {
      return bench.status();
    }
    auto question = std::make_unique<Question>(config, std::move(bench.value()));
    Status status = configure_plugins(question->plugins, question->secrets, config);
    if (!status.ok()) {
      return status;
    }
    return question;
  }

  SystemRandom random;
  SystemClock clock;
  SecretStore secrets;
  std::unique_ptr<OperationBench> bench;
  PluginSet plugins;
};

CheckedToken judge(const Result<Grant> &answer, const Rights &wanted) {
  CheckedToken checked;
  if (!answer.ok()) {
    checked.verdict = answer.status();
    return checked;
  }
  const Grant &grant = answer.value();
  checked.rule = grant.rule;
  checked.rights = {(grant.rights & kRightListen) != 0, (grant.rights & kRightSend) != 0,
                    (grant.rights & kRightManage) != 0};
  checked.expires_s = grant.expires_s;
  if ((wanted.listen && !checked.rights.listen) || (wanted.send && !checked.rights.send) ||
      (wanted.manage && !checked.rights.manage)) {
    checked.verdict =
        Status::failure(Code::kTokenRight, Source::kRelay, Retry::kNever,
                        "the token's rule '" + grant.rule + "' does not give the right");
  }
  return checked;
}

} // namespace

Status check_plugin_settings(const EngineConfig &engine) {
  const auto question = Question::make(engine);
  return question.ok() ? Status{} : question.status();
}

Result<IssuedToken> issue_token(const EngineConfig &engine, const ClientConfig &client,
                                std::int64_t lifetime_s) {
  const auto made = Question::make(engine);
  if (!made.ok()) {
    return made.status();
  }
  Question &question = *made.value();
  Result<ClientUnits> units =
      ClientUnits::make(question.plugins, question.secrets, client, lifetime_s);
  if (!units.ok()) {
    return units.status();
  }
  AcquireToken acquire; // it lives longer than the instance
  ClientPart part;
  if (Status status = part.attach_plugins(units.value(), question.bench->shard()); !status.ok()) {
    return status;
  }
  const ConnectionString &connection = client.connection;
  const Result<std::string> audience =
      part.transport->audience({connection.host, connection.port, connection.entity_path});
  if (!audience.ok()) {
    return audience.status();
  }
  Result<Token> token =
      question.bench->ask(acquire, client.limits.handshake_ms, [&](AcquireToken &operation) {
        part.auth->acquire(operation, audience.value());
      });
  if (!token.ok()) {
    return token.status();
  }
  return IssuedToken{Secret::take(token.value().text), token.value().expires_s};
}

Result<CheckedToken> check_token(const EngineConfig &engine, const TokenQuestion &asked) {
  const auto made = Question::make(engine);
  if (!made.ok()) {
    return made.status();
  }
  Question &question = *made.value();
  RelayOptions relay;
  relay.names = asked.names;
  relay.entities = {{asked.path, {}}};
  SecretLease lease(question.secrets);
  relay.own_rules = to_rules(asked.rules, lease);
  if (Status status = RelayPolicy::check(relay); !status.ok()) {
    return status;
  }
  std::unique_ptr<Unit> unit;
  VerifyToken verify; // it lives longer than the instance
  std::unique_ptr<Auth> auth;
  Status status = take(question.plugins.make_unit(asked.auth, PluginKind::kAuth, {}), unit);
  if (status.ok()) {
    status = take(unit->auth(question.bench->shard()), auth);
  }
  if (!status.ok()) {
    return status;
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
  Result<Grant> grant = Status{};
  for (const std::uint32_t right : {kRightListen, kRightSend, kRightManage}) {
    check.right_wanted = right; // a relay asks for one; all that a token has is seen through one
    grant = question.bench->ask(verify, relay.limits.handshake_ms,
                                [&](VerifyToken &operation) { auth->verify(operation, check); });
    if (grant.ok() || grant.status().code != Code::kTokenRight) {
      break;
    }
  }
  if (!grant.ok() && !refuses_token(grant.status().code)) {
    return grant.status();
  }
  return judge(grant, asked.wanted);
}

} // namespace culvert
