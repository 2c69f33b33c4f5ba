// The DNS responder of `culvert up`, and the command that runs it alone.

#include "responder.hpp"

#include "command.hpp"
#include "names.hpp"

#include <algorithm>

namespace culvert::command {
namespace {

constexpr std::uint64_t kMsPerSecond = 1'000;

/// Reads the file and answers for its names until a signal; SIGHUP reads it again.
int run_responder(const std::string &file) {
  Configuration configuration = read_endpoints(file);
  if (configuration.dns.bind.empty()) {
    throw Refusal{
        kExitFailure,
        file + " does not say where to answer; write [dns] with bind = [\"127.0.0.153:53\"]"};
  }
  const std::unique_ptr<Log> log = make_log(configuration, Speech::kKeys);
  block_signals();
  const std::vector<HostPort> upstreams = require(upstreams_of(configuration.dns));
  const std::unique_ptr<dns::Responder> responder = start_responder(configuration.dns, *log);
  lead_names(*responder, configuration, upstreams);
  run_until_signal(*log, [&] {
    try {
      const Configuration changed = read_endpoints(file);
      lead_names(*responder, changed, require(upstreams_of(changed.dns)));
      log->write(LogLevel::kInfo, "reloaded", {});
    } catch (const Refusal &refusal) {
      log->write(LogLevel::kError, "not reloaded: nothing has changed",
                 {{"why", refusal.sentence}});
    }
  });
  return kExitOk;
}

} // namespace

std::unique_ptr<dns::Responder> start_responder(const DnsConfig &config, Log &log) {
  return config.bind.empty() ? nullptr : require(dns::Responder::start(config.bind, log));
}

Result<std::vector<HostPort>> upstreams_of(const DnsConfig &config) {
  if (!config.upstreams.empty() || config.bind.empty()) {
    return config.upstreams;
  }
  Result<std::vector<HostPort>> found = dns::system_upstreams();
  if (!found.ok()) {
    return found;
  }
  std::erase_if(found.value(), [&config](const HostPort &server) {
    return std::any_of(config.bind.begin(), config.bind.end(),
                       [&server](const HostPort &own) { return own.text() == server.text(); });
  });
  if (found.value().empty()) {
    return Status::machine("the system names no name server but this one, which must ask another; "
                           "write upstreams = [\"ADDRESS\"] into [dns]");
  }
  return found;
}

void lead_names(dns::Responder &responder, const Configuration &configuration,
                const std::vector<HostPort> &upstreams) {
  responder.use(dns::NameTable(redirected_names(configuration.senders)), upstreams,
                static_cast<std::uint32_t>(configuration.dns.ttl_ms / kMsPerSecond));
}

Run add_dns(CLI::App &parent, Flags &) {
  auto file = std::make_shared<std::string>();
  CLI::App *app = parent.add_subcommand(
      "dns", "Run the DNS responder of a configuration file alone, and none of its roles");
  app->add_option("--config", *file, "The file of the senders, with a section [dns]")
      ->type_name("FILE")
      ->required();
  return [file] { return run_responder(*file); };
}

} // namespace culvert::command
