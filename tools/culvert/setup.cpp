#include "relay_folder.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>

namespace culvert::command {
namespace {

constexpr unsigned kDays = 365;

struct SetUpOptions {
  std::string name;
  std::string folder = "culvert-relay";
  std::string entity = "app";
  std::string port = "443";
};

bool is_address(const std::string &name) {
  in6_addr address{};
  return inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

/// What is wrong with the entity is what a connection string made of it would say.
std::uint16_t check_words(const SetUpOptions &options, const RelayFolder &folder) {
  const Result<HostPort> relay = HostPort::parse("localhost:" + options.port, "--port");
  if (!relay.ok() || relay.value().port == 0) {
    throw Refusal{kExitUsage, "--port '" + options.port + "' is not 1 to 65535"};
  }
  const std::uint16_t port = relay.value().port;
  require(check_relay_names({options.name}));
  const Result<ConnectionString> whole =
      ConnectionString::parse(folder.connection(port, options.entity, true));
  if (!whole.ok()) {
    throw Refusal{kExitUsage, "--entity '" + options.entity + "': " + whole.status().message};
  }
  return port;
}

/// True if it was not there.
bool make_new_folder(const std::string &path) {
  std::error_code error;
  if (mkdir(path.c_str(), 0700) == 0) {
    return true;
  }
  const int reason = errno;
  if (reason == EEXIST && std::filesystem::is_directory(path, error)) {
    if (std::filesystem::is_empty(path, error)) {
      return false;
    }
    throw Refusal{kExitFailure, "the folder '" + path +
                                    "' is not empty, and nothing in it is overwritten; name "
                                    "another one with --dir"};
  }
  throw Refusal{kExitFailure, "cannot make the folder '" + path + "': " + std::strerror(reason) +
                                  "; name another one with --dir"};
}

/// Half of the files are of no use, and a folder that is not empty would be refused the next time.
void fill(const RelayFolder &folder, std::uint16_t port, const std::string &entity) {
  const bool is_new = make_new_folder(folder.path);
  try {
    require(make_throwaway_certificates(folder.path, {folder.name}, kDays));
    folder.write_secrets(port, entity);
  } catch (const Refusal &) {
    std::error_code error;
    for (const auto &file : std::filesystem::directory_iterator(folder.path, error)) {
      std::filesystem::remove(file.path(), error);
    }
    if (is_new) {
      std::filesystem::remove(folder.path, error);
    }
    throw;
  }
}

int set_up_relay(const SetUpOptions &options) {
  const RelayFolder folder{options.folder, options.name};
  const std::uint16_t port = check_words(options, folder);
  fill(folder, port, options.entity);
  std::cout << "Made in the folder " << folder.path << ", for this user alone:\n"
            << "  ca.pem                 the authority that listeners and senders trust\n"
            << "  relay.pem, relay.key   the relay's certificate for " << options.name
            << ", good for " << kDays << " days, and its key\n"
            << "  listener.key, sender.key                   the keys of two rules\n"
            << "  listener.connection, sender.connection     connection strings with these keys\n\n"
            << "The relay:\n\n";
  const bool ipv6 = options.name.find(':') != std::string::npos;
  const HostPort bind{ipv6 ? "::" : "0.0.0.0", port, ""};
  print_command(folder.relay_command(bind.text(), options.entity), {});
  std::cout << "\nA listener beside the target, with copies of ca.pem and listener.connection:\n\n";
  print_command(folder.listen_command("127.0.0.1:8080"), {});
  std::cout << "\nA sender beside the app, with copies of ca.pem and sender.connection:\n\n";
  print_command(folder.connect_command("127.0.0.1:9000"), {});
  std::cout << "\n127.0.0.1:8080 is the target, and an app connects to 127.0.0.1:9000: write your "
               "own.\n";
  if (!is_address(options.name)) {
    std::cout << "On a machine that knows no address of " << options.name << ", add --resolve "
              << options.name << "=ADDRESS to the last two.\n";
  }
  return kExitOk;
}

} // namespace

Run add_setup(CLI::App &parent, Flags &) {
  auto options = std::make_shared<SetUpOptions>();
  CLI::App *app = parent.add_subcommand("setup", "Make the files that a role needs");
  app->require_subcommand(1);
  CLI::App *relay = app->add_subcommand(
      "relay", "Make certificates, keys and connection strings for a relay in a new folder");
  relay->add_option("--name", options->name, "The relay's host name or IP address")
      ->type_name("HOST")
      ->required();
  relay->add_option("--dir", options->folder, "The folder to make; one that exists must be empty")
      ->type_name("DIR")
      ->capture_default_str();
  relay->add_option("--entity", options->entity, "The path that listeners and senders meet at")
      ->type_name("PATH")
      ->capture_default_str();
  relay->add_option("--port", options->port, "The relay's port")
      ->type_name("PORT")
      ->capture_default_str();
  return [options] { return set_up_relay(*options); };
}

} // namespace culvert::command
