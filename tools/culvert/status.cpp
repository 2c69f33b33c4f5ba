// The commands that ask a running process by its admin endpoint: status and reload.

#include "admin_client.hpp"
#include "command.hpp"
#include "status_table.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace culvert::command {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kPageMs = 10'000;
constexpr unsigned kReloadMs = 90'000; // longer than the endpoint waits for a reload
constexpr std::chrono::milliseconds kRateTime{500};
constexpr std::chrono::seconds kRefresh{1};
constexpr const char *kClear = "\033[H\033[2J";

struct StatusFlags {
  std::string admin = kAdminAddress;
  bool watch = false;
  bool json = false;
};

HostPort address_of(const std::string &text) {
  const Result<HostPort> address = HostPort::parse(text, "");
  if (!address.ok()) {
    require(no_admin_address(text));
  }
  return address.value();
}

std::string status_page(const HostPort &where) {
  AdminAnswer answer = require(ask_admin(where, "GET", "/status", kPageMs));
  if (answer.status != 200) {
    throw Refusal{kExitFailure, "the admin endpoint at " + where.text() +
                                    " answers with the HTTP status " +
                                    std::to_string(answer.status)};
  }
  return std::move(answer.body);
}

/// Prints one table a second, without an end.
void print_tables(const HostPort &where, bool once) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  std::string before = status_page(where);
  Clock::time_point then = Clock::now();
  for (;;) {
    std::this_thread::sleep_for(once ? kRateTime : Clock::duration(kRefresh));
    std::string page = status_page(where);
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - then).count();
    std::cout << (terminal && !once ? kClear : "") << require(status_table(page, before, seconds))
              << (terminal || once ? "" : "\n") << std::flush;
    if (once || !std::cout.good()) {
      return;
    }
    before = std::move(page);
    then = now;
  }
}

int show_status(const StatusFlags &flags) {
  const HostPort where = address_of(flags.admin);
  if (!flags.json) {
    print_tables(where, !flags.watch);
    return kExitOk;
  }
  std::cout << status_page(where) << std::flush;
  while (flags.watch && std::cout.good()) {
    std::this_thread::sleep_for(kRefresh);
    std::cout << status_page(where) << std::flush;
  }
  return kExitOk;
}

int reload(const std::string &admin) {
  const AdminAnswer answer = require(ask_admin(address_of(admin), "POST", "/reload", kReloadMs));
  boost::system::error_code failure;
  const boost::json::value page = boost::json::parse(answer.body, failure);
  const boost::json::value *sentences =
      page.is_object() ? page.as_object().if_contains("sentences") : nullptr;
  if (sentences == nullptr || !sentences->is_array()) {
    throw Refusal{kExitFailure, "the admin endpoint does not answer what became of the reload"};
  }
  const bool reloaded = answer.status == 200;
  std::cout << (reloaded ? "reloaded: " : "not reloaded: ");
  for (std::size_t i = 0; i < sentences->as_array().size(); ++i) {
    const boost::json::value &each = sentences->as_array()[i];
    std::cout << (i == 0 ? "" : "\n")
              << (each.is_string() ? printable(each.as_string().c_str()) : "");
  }
  std::cout << std::endl;
  return reloaded ? kExitOk : kExitFailure;
}

void add_admin(CLI::App &app, std::string &address) {
  app.add_option("--admin", address, "The admin endpoint of the process: bind of its [admin]")
      ->type_name("ADDRESS:PORT")
      ->default_str(kAdminAddress);
}

} // namespace

Run add_status(CLI::App &parent, Flags &) {
  auto flags = std::make_shared<StatusFlags>();
  CLI::App *app = parent.add_subcommand(
      "status", "Show the roles of a running process, their tunnels and their last failures");
  add_admin(*app, flags->admin);
  app->add_flag("--watch", flags->watch, "Again each second, until it is interrupted");
  app->add_flag("--json", flags->json, "All that is known, as JSON");
  return [flags] { return show_status(*flags); };
}

Run add_reload(CLI::App &parent, Flags &) {
  auto admin = std::make_shared<std::string>(kAdminAddress);
  CLI::App *app = parent.add_subcommand(
      "reload", "Let a running process read its configuration again, as SIGHUP does, and show "
                "what has changed or every mistake");
  add_admin(*app, *admin);
  return [admin] { return reload(*admin); };
}

} // namespace culvert::command
