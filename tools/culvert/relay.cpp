#include "command.hpp"

namespace culvert::command {
namespace {

struct RelayOptions {
  BindOptions bind;
  std::string certificate;
  std::string key;
  std::vector<std::string> names;
  std::vector<std::string> entities;
  std::vector<std::string> rules;
  std::vector<std::string> protocols;
  std::string auth = "auth_sas";
  std::string public_address;
};

void read_public_address(const std::string &text, RelayConfig &config) {
  const bool has_port = text.rfind(':') != std::string::npos && !text.ends_with(']');
  const Result<HostPort> address =
      HostPort::parse(has_port ? text : text + ":443", "--public-address");
  if (!address.ok() || address.value().port == 0 || !address.value().unix_path.empty()) {
    throw Refusal{kExitUsage, "--public-address '" + text +
                                  "' is not HOST[:PORT]; write relay.example, relay.example:8443 "
                                  "or [::1]:8443"};
  }
  const std::string &host = address.value().host;
  if (host == "0.0.0.0" || host == "::" || host.find_first_of("*,") != std::string::npos) {
    throw Refusal{kExitUsage, "--public-address '" + text +
                                  "' is no address that can be dialled; write the one that "
                                  "listeners reach this relay at"};
  }
  config.public_host = host;
  config.public_port = address.value().port;
}

RelayConfig read_relay(const RelayOptions &options, SecretReader &secrets) {
  RelayConfig config;
  read_bind(options.bind, config);
  config.tls_certificate_file = options.certificate;
  config.tls_key_file = options.key;
  config.names = read_list(options.names, "--name");
  config.auth = options.auth;
  config.protocols = options.protocols;
  if (config.protocols.empty()) {
    config.protocols = {"transport_azure"};
  }
  for (const std::string &path : options.entities) {
    config.entities.push_back({path, {}});
  }
  config.rules = read_rules(options.rules, secrets);
  if (!options.public_address.empty()) {
    read_public_address(options.public_address, config);
  }
  return config;
}

} // namespace

Run add_relay(CLI::App &parent, Common &common) {
  auto options = std::make_shared<RelayOptions>();
  CLI::App *app = parent.add_subcommand("relay", "Run a relay: where senders and listeners meet");
  add_bind(*app, options->bind, "Where to accept connections");
  app->add_option("--tls-cert", options->certificate,
                  "Certificate chain, PEM, the relay's own first")
      ->type_name("FILE")
      ->required();
  app->add_option("--tls-key", options->key, "Its private key, PEM")->type_name("FILE")->required();
  app->add_option("--name", options->names,
                  "Host names this relay is known by; tokens are for them")
      ->type_name("HOST[,HOST]")
      ->allow_extra_args(false)
      ->required();
  app->add_option("--entity", options->entities,
                  "A path that listeners and senders meet at; repeats")
      ->type_name("PATH")
      ->allow_extra_args(false)
      ->required();
  app->add_option("--rule", options->rules,
                  "A key and its rights, for every entity: RIGHTS is a comma list of listen, send, "
                  "manage; SECRET is env:NAME, file:PATH or -; a second one of the same name gives "
                  "that rule's secondary key; repeats")
      ->type_name("NAME:RIGHTS:SECRET")
      ->allow_extra_args(false)
      ->required();
  app->add_option("--protocol", options->protocols,
                  "Plugin of a relay protocol; the first is the default when a client names no "
                  "protocol; repeats "
                  "(default: transport_azure)")
      ->type_name("ID")
      ->allow_extra_args(false);
  app->add_option("--auth", options->auth, "Plugin that verifies tokens")
      ->type_name("ID")
      ->capture_default_str();
  app->add_option("--public-address", options->public_address,
                  "Where listeners reach this relay (default: as each of them dialled it)")
      ->type_name("HOST[:PORT]");
  add_common(*app, common);
  return [options, &common] {
    const std::unique_ptr<Log> log = read_log(common);
    SecretReader secrets(common, *log);
    const RelayConfig config = read_relay(*options, secrets);
    std::vector<std::string> plugins = config.protocols;
    plugins.push_back(config.auth);
    const EngineConfig engine_config = read_engine(common, secrets, plugins);
    const std::unique_ptr<Engine> engine = make_engine(engine_config, *log);
    const RoleId role = require(engine->start_relay(config));
    warn_of_readers(options->key, *log);
    return run_until_signal(*engine, {role}, *log);
  };
}

} // namespace culvert::command
