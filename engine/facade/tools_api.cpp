#include "crypto/certificate.hpp"
#include "culvert/engine.hpp"
#include "facade/plugin_setup.hpp"
#include "plugin/loader.hpp"
#include "role/relay/policy.hpp"

namespace culvert {

Status check_relay_names(const std::vector<std::string> &names) {
  return RelayPolicy::check_names(names);
}

Status make_throwaway_certificates(const std::string &folder, const std::vector<std::string> &names,
                                   unsigned days) {
  constexpr std::int64_t kDayS = 24 * 3600;
  constexpr std::int64_t kSkewS = 3600; // for the clock of another machine
  ThrowAwayOptions options;
  options.names = names;
  const std::int64_t now_s = SystemClock().wall_s();
  options.not_before_s = now_s - kSkewS;
  options.not_after_s = now_s + days * kDayS;
  Result<ThrowAway> made = make_throw_away(options);
  if (!made.ok()) {
    return made.status();
  }
  const ThrowAway &certificates = made.value();
  Status status = write_private_file(folder + "/ca.pem", certificates.authority_pem);
  if (status.ok()) {
    status = write_private_file(folder + "/relay.pem", certificates.server.certificate_pem);
  }
  if (status.ok()) {
    status = write_private_file(folder + "/relay.key", certificates.server.key_pem.reveal());
  }
  return status;
}

Result<std::vector<std::string>> list_plugins(const EngineConfig &engine) {
  return list_plugin_files(plugin_directories(engine));
}

Result<std::string> describe_plugin(const EngineConfig &engine, const std::string &id) {
  return describe_in_child(plugin_directories(engine), id);
}

} // namespace culvert
