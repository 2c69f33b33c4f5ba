// The smallest service with a relay in it: starts one with the engine's own threads, prints its
// state and port, and ends. Its argument is a folder for a throw-away certificate.
#include <culvert/engine.hpp>

#include <cstdio>
#include <utility>

namespace {

culvert::RelayConfig relay_config(const std::string &folder) {
  culvert::RelayConfig config;
  config.bind = {"127.0.0.1", 0, ""};
  config.tls_certificate_file = folder + "/relay.pem";
  config.tls_key_file = folder + "/relay.key";
  config.names = {"127.0.0.1"};
  config.entities.push_back({"app", {}});
  config.rules.push_back(
      {"both", {true, true, false}, culvert::Secret("a key of the tests alone"), {}});
  config.protocols = {"transport_azure"};
  return config;
}

int failed(const char *what, const culvert::Status &status) {
  std::fprintf(stderr, "%s: %s\n", what, status.message.c_str());
  return 1;
}

} // namespace

int main(int count, char **arguments) {
  const std::string folder = count == 2 ? arguments[1] : ".";
  if (auto made = culvert::make_throwaway_certificates(folder, {"127.0.0.1"}); !made.ok()) {
    return failed("certificates", made);
  }
  const auto log = culvert::make_stderr_log(culvert::LogLevel::kWarn, culvert::LogFormat::kText);
  culvert::EngineConfig config;
  config.plugin_directories = {PLUGINS};
  auto engine = culvert::Engine::create(config, *log);
  if (!engine.ok()) {
    return failed("engine", engine.status());
  }
  auto relay = engine.value()->start_relay(relay_config(folder));
  if (!relay.ok()) {
    return failed("relay", relay.status());
  }
  const bool online =
      engine.value()->wait_for(relay.value(), culvert::RoleStats::State::kOnline, 10'000);
  std::printf("relay %s on %s\n", online ? "online" : "not online",
              engine.value()->bound(relay.value()).text().c_str());
  engine.value()->drop();
  const bool stopped = engine.value()->wait_stopped(10'000);
  std::printf("engine %s\n", stopped ? "stopped" : "not stopped");
  return online && stopped ? 0 : 1;
}
