#include "command.hpp"

namespace culvert::command {
namespace {

struct ClientOptions {
  std::string connection_string;
  std::string target;
  BindOptions bind;
  std::vector<std::string> rendezvous_hosts;
  ClientConfig client;
};

void add_client(CLI::App &app, ClientOptions &options) {
  app.add_option("--connection-string", options.connection_string,
                 "The entity's connection string: env:NAME, file:PATH or -")
      ->type_name("S")
      ->required();
  app.add_option("--ca", options.client.ca_file,
                 "Certificate authorities to trust, PEM (default: the system's)")
      ->type_name("FILE");
  app.add_option("--transport", options.client.transport, "Plugin that speaks to the relay")
      ->type_name("ID")
      ->capture_default_str();
  app.add_option("--auth", options.client.auth, "Plugin that makes tokens")
      ->type_name("ID")
      ->capture_default_str();
  app.add_option("--resolver", options.client.resolver, "Plugin that finds addresses of names")
      ->type_name("ID")
      ->capture_default_str();
  app.add_option("--resolve", options.client.resolve,
                 "Addresses of a name, before /etc/hosts; repeats")
      ->type_name("NAME=ADDR[,ADDR]")
      ->allow_extra_args(false);
}

/// Everything is read before anything starts.
template <typename Config> Config read_client(ClientOptions &options, SecretReader &secrets) {
  Config config;
  static_cast<ClientConfig &>(config) = std::move(options.client);
  config.connection = read_connection_string(options.connection_string, secrets);
  return config;
}

} // namespace

Run add_listen(CLI::App &parent, Common &common) {
  auto options = std::make_shared<ClientOptions>();
  CLI::App *app = parent.add_subcommand(
      "listen", "Run a listener beside the target: what comes through the relay goes to it");
  add_client(*app, *options);
  app->add_option("--target", options->target, "The service behind this listener")
      ->type_name("HOST:PORT")
      ->required();
  app->add_option(
         "--rendezvous-hosts", options->rendezvous_hosts,
         "Extra hosts that the relay may direct this listener to: a name, or *.SUFFIX (the "
         "relay itself, and the gateways of an Azure namespace, need not be named)")
      ->type_name("HOST[,HOST]")
      ->allow_extra_args(false);
  add_common(*app, common);
  return [options, &common] {
    const std::unique_ptr<Log> log = read_log(common);
    SecretReader secrets(common, *log);
    auto config = read_client<ListenerConfig>(*options, secrets);
    config.target = read_target(options->target);
    config.rendezvous_hosts = read_list(options->rendezvous_hosts, "--rendezvous-hosts");
    const EngineConfig engine_config =
        read_engine(common, secrets, {config.transport, config.auth, config.resolver});
    const std::unique_ptr<Engine> engine = make_engine(engine_config, *log);
    const RoleId role = require(engine->start_listener(config));
    return run_until_signal(*engine, {role}, *log);
  };
}

Run add_connect(CLI::App &parent, Common &common) {
  auto options = std::make_shared<ClientOptions>();
  CLI::App *app = parent.add_subcommand(
      "connect", "Run a sender beside the app: local connections go to the target");
  add_client(*app, *options);
  add_bind(*app, options->bind, "Where apps connect");
  add_common(*app, common);
  return [options, &common] {
    const std::unique_ptr<Log> log = read_log(common);
    SecretReader secrets(common, *log);
    auto config = read_client<SenderConfig>(*options, secrets);
    config.prove_at_start = true;
    read_bind(options->bind, config);
    const EngineConfig engine_config =
        read_engine(common, secrets, {config.transport, config.auth, config.resolver});
    const std::unique_ptr<Engine> engine = make_engine(engine_config, *log);
    const RoleId role = require(engine->start_sender(config));
    return run_until_signal(*engine, {role}, *log);
  };
}

} // namespace culvert::command
