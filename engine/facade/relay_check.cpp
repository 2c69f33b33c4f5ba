#include "facade/relay_check.hpp"

#include "facade/operation_bench.hpp"

namespace culvert {
namespace {

Head shortest_head(HeadForm form) {
  Head head;
  head.form = form;
  head.remote_host = "127.0.0.1";
  head.remote_port = 1;
  if (form == HeadForm::kHttp) {
    head.method = "GET";
    head.target = "/";
  } else {
    head.message = "?";
  }
  return head;
}

Status check_protocol(Unit &unit, Shard &shard) {
  const Result<std::unique_ptr<RelayProtocol>> made = unit.relay_protocol(shard);
  if (!made.ok()) {
    return made.status();
  }
  RelayProtocol &protocol = *made.value();
  const Result<Intent> intent = protocol.on_head(shortest_head(protocol.head_form()));
  if (!intent.ok() && plugin_at_fault(intent.status())) {
    return intent.status();
  }
  const Status why = intent.ok() ? Status::failure(Code::kTokenMissing, Source::kRelay,
                                                   Retry::kNewToken, "no token was given")
                                 : intent.status();
  const Result<Answer> answer =
      protocol.outcome(Stage::kHead, intent.ok() ? intent.value().facts : "", why);
  return !answer.ok() && plugin_at_fault(answer.status()) ? answer.status() : Status{};
}

Status check_auth(Unit &unit, OperationBench &bench, const RelayPolicy &policy,
                  const std::string &path) {
  VerifyToken operation; // it lives longer than the instance
  const Result<std::unique_ptr<Auth>> auth = unit.auth(bench.shard());
  if (!auth.ok()) {
    return auth.status();
  }
  const EntityTable::Match match = policy.entities().match(path);
  const TokenCheck check{"", path, &match.rules, &policy.names(), kRightSend};
  const Result<Grant> grant =
      bench.ask(operation, policy.limits().handshake_ms,
                [&](VerifyToken &verify) { auth.value()->verify(verify, check); });
  return !grant.ok() && plugin_at_fault(grant.status()) ? grant.status() : Status{};
}

} // namespace

Status check_relay_plugins(const std::vector<std::unique_ptr<Unit>> &protocols, Unit &auth,
                           const RelayPolicy &policy, const std::string &path) {
  const auto bench = OperationBench::make();
  if (!bench.ok()) {
    return bench.status();
  }
  for (const std::unique_ptr<Unit> &protocol : protocols) {
    if (Status status = check_protocol(*protocol, bench.value()->shard()); !status.ok()) {
      return status;
    }
  }
  return check_auth(auth, *bench.value(), policy, path);
}

} // namespace culvert
