#include "command.hpp"
#include "demo_proof.hpp"
#include "demo_services.hpp"
#include "relay_folder.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

namespace culvert::command {
namespace {

constexpr const char *kName = "127.0.0.1"; // of the relay, in its certificate and in tokens
constexpr const char *kEntity = "app";
constexpr const char *kEchoEntity = "echo";
constexpr std::uint64_t kStartMs = 15'000;

struct DemoOptions {
  std::string target;
  std::vector<std::string> resolve;
  bool once = false;
};

/// A folder that only we can read, with the demo's secrets in it; it stays.
std::string make_folder() {
  const char *base = std::getenv("TMPDIR");
  std::string path =
      std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/culvert-demo-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    throw Refusal{kExitFailure, "cannot make a folder '" + path + "': " + std::strerror(errno) +
                                    "; set TMPDIR to a folder that this user may write"};
  }
  return path;
}

RelayConfig relay_config(const RelayFolder &folder) {
  RelayConfig config;
  config.bind = {kName, 0, ""};
  config.tls_certificate_file = folder.file("relay.pem");
  config.tls_key_file = folder.file("relay.key");
  config.names = {kName};
  config.entities.push_back({kEntity, {}});
  config.entities.push_back({kEchoEntity, {}});
  config.protocols = {"transport_azure"};
  RuleConfig listener{"listener", {true, false, false}, Secret(folder.listener_key), {}};
  RuleConfig sender{"sender", {false, true, false}, Secret(folder.sender_key), {}};
  config.rules.push_back(std::move(listener));
  config.rules.push_back(std::move(sender));
  return config;
}

/// One entity's listener and sender; returns the sender's role.
RoleId start_pair(Engine &engine, const RelayFolder &folder, std::uint16_t port,
                  const std::string &entity, const HostPort &target,
                  const std::vector<std::string> &resolve) {
  ListenerConfig listener;
  listener.connection = require(ConnectionString::parse(folder.connection(port, entity, true)));
  listener.ca_file = folder.file("ca.pem");
  listener.target = target;
  listener.resolve = resolve;
  const RoleId role = require(engine.start_listener(listener));
  SenderConfig sender;
  sender.connection = require(ConnectionString::parse(folder.connection(port, entity, false)));
  sender.ca_file = folder.file("ca.pem");
  sender.bind = {"127.0.0.1", 0, ""};
  const RoleId sender_role = require(engine.start_sender(sender));
  if (!engine.wait_for(role, RoleStats::State::kOnline, kStartMs)) {
    throw Refusal{kExitFailure,
                  "the listener did not register at the relay: " + engine.stats(role).last_failure};
  }
  return sender_role;
}

void prove_target(Engine &engine, RoleId sender, const HostPort &target) {
  const std::uint16_t port = engine.bound(sender).port;
  OpenConnection connection(port);
  for (std::uint64_t waited_ms = 0; engine.stats(sender).tunnels_open == 0; waited_ms += 10) {
    if (connection.refused() || waited_ms > kStartMs) {
      throw Refusal{kExitFailure, "no tunnel to the target " + target.text() + ": " +
                                      engine.stats(sender).last_failure +
                                      "; is it running, and reachable from here?"};
    }
    engine.wait_stopped(10);
  }
  std::printf("  target   a connection to %s opened through the tunnel\n", target.text().c_str());
}

void print_commands(const RelayFolder &folder, const HostPort &target, const DemoOptions &options,
                    const Flags &flags) {
  const auto [port, app_port] = free_ports();
  folder.write_secrets(port, kEntity);
  std::cout
      << "\nThe same as three processes, on other ports (run each in a shell of its own):\n\n";
  const HostPort bind{kName, port, ""};
  print_command(folder.relay_command(bind.text(), kEntity), flags);
  std::vector<std::string> listen = folder.listen_command(target.text());
  for (const std::string &entry : options.resolve) {
    listen.insert(listen.end(), {"--resolve", entry});
  }
  std::cout << "\n";
  print_command(listen, flags);
  std::cout << "\n";
  print_command(folder.connect_command("127.0.0.1:" + std::to_string(app_port)), flags);
  if (options.once && options.target.empty()) {
    std::cout << "(The built-in HTTP server ends now: name a target of your own in the second.)\n";
  }
  std::cout << "\n";
}

int run_demo(const DemoOptions &options, const Flags &flags) {
  SecretReader secrets;
  const Configuration process = read_flags(flags, "", secrets).configuration;
  const EngineConfig &engine_config = process.engine;
  const std::unique_ptr<Log> log = make_log(process, Speech::kFlags);
  check_plugins(engine_config, {"transport_azure", "auth_sas", "resolver_dns"});
  const HostPort wanted = options.target.empty() ? HostPort{} : read_target(options.target);
  block_signals();
  const RelayFolder folder{make_folder(), kName};
  require(make_throwaway_certificates(folder.path, {kName, "localhost"}));

  LocalService http(serve_http);
  LocalService echo(serve_echo);
  const HostPort target = options.target.empty() ? HostPort{"127.0.0.1", http.port(), ""} : wanted;
  raise_open_files(*log);
  const std::unique_ptr<Engine> engine = require(Engine::create(engine_config, *log));
  const RoleId relay = require(engine->start_relay(relay_config(folder)));
  const std::uint16_t port = engine->bound(relay).port;
  const RoleId app = start_pair(*engine, folder, port, kEntity, target, options.resolve);
  const RoleId echo_app =
      start_pair(*engine, folder, port, kEchoEntity, {"127.0.0.1", echo.port(), ""}, {});

  std::cout << "A relay, two listeners and two senders run in this process.\n"
            << "  folder   " << folder.path << " (certificates and keys made just now; it stays)\n"
            << "  relay    " << engine->bound(relay).text() << ", TLS, entities " << kEntity
            << " and " << kEchoEntity << "\n"
            << "  app      connect to " << engine->bound(app).text() << " to reach "
            << target.text() << "\n"
            << std::flush;
  const EchoProof proof = prove_echo(engine->bound(echo_app).port);
  std::printf("  echo     %.0f MiB there and back, every byte checked: %.0f MiB/s each way, "
              "round trip %.2f ms\n",
              static_cast<double>(proof.bytes_checked) / (1024 * 1024), proof.mebibytes_per_second,
              proof.median_round_trip_ms);
  prove_target(*engine, app, target);
  if (options.target.empty()) {
    std::cout << "  http     " << prove_http(engine->bound(app).port);
  }
  std::fflush(stdout);
  print_commands(folder, target, options, flags);
  finish_output();
  if (options.once) {
    engine->drain();
    engine->wait_stopped(engine_config.limits.drain_grace_ms + kStartMs);
    return kExitOk;
  }
  std::cout << "Running until Ctrl-C.\n" << std::flush;
  const std::vector<RoleId> roles{relay};
  return run_until_signal(
      {*engine, roles, engine_config.shards, engine_config.limits.drain_grace_ms, *log, {}});
}

} // namespace

Run add_demo(CLI::App &parent, Flags &flags) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App *app = parent.add_subcommand(
      "demo", "Run a relay, a listener and a sender here, and prove that the tunnel works");
  app->add_option("--target", options->target,
                  "What to tunnel to (default: a small built-in HTTP server)")
      ->type_name("HOST:PORT");
  app->add_option("--resolve", options->resolve,
                  "Addresses of the target's name, before /etc/hosts; repeats")
      ->type_name("NAME=ADDR[,ADDR]")
      ->allow_extra_args(false);
  app->add_flag("--once", options->once, "Exit after the proof")->disable_flag_override();
  add_common(*app, flags);
  return [options, app, &flags] {
    if (app->count("--log-level") == 0) {
      flags.one["--log-level"] = "warn"; // what the demo has to say stands on standard output
    }
    return run_demo(*options, flags);
  };
}

} // namespace culvert::command
