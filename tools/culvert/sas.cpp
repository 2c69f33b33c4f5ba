#include "command.hpp"

#include <array>
#include <ctime>
#include <iostream>

namespace culvert::command {
namespace {

struct SasOptions {
  std::string connection_string;
  std::string transport = "transport_azure";
  std::string auth = "auth_sas";
  std::string lifetime;
  std::string token;
  std::vector<std::string> names;
  std::vector<std::string> rules;
  std::string path;
  std::string right;
};

/// 0: not given.
std::int64_t read_lifetime(const std::string &text) {
  constexpr std::int64_t kShortestS = 60;
  constexpr std::int64_t kLongestS = 7LL * 24 * 3600;
  if (text.empty()) {
    return 0;
  }
  const bool digits = text.size() < 8 && text.find_first_not_of("0123456789") == std::string::npos;
  const std::int64_t seconds = digits ? std::stoll(text) : 0;
  if (seconds < kShortestS || seconds > kLongestS) {
    throw Refusal{kExitUsage,
                  "--lifetime: '" + text + "' is not 60 to 604800; write a number of seconds"};
  }
  return seconds;
}

Rights read_one_right(const std::string &text) {
  if (text.find(',') != std::string::npos) {
    throw Refusal{kExitUsage, "--right: a relay asks for one right; write listen, send or manage"};
  }
  return require(rights_of_words({text}, "--right"));
}

int print_token(const SasOptions &options, const Flags &flags) {
  SecretReader secrets;
  ClientConfig client;
  client.transport = options.transport;
  client.auth = options.auth;
  const EngineConfig engine =
      read_engine(flags, secrets, {client.transport, client.auth, client.resolver});
  client.connection = read_connection_string(options.connection_string, secrets);
  const std::int64_t lifetime_s = read_lifetime(options.lifetime);
  const IssuedToken token = require(issue_token(engine, client, lifetime_s));
  std::cout << token.text.reveal() << '\n';
  return kExitOk;
}

std::string words_of(const Rights &rights) {
  std::string words = rights.listen ? "listen" : "";
  words += rights.send ? (words.empty() ? "send" : ",send") : "";
  return rights.manage ? "manage" : words;
}

std::string utc(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

int verify(const SasOptions &options, const Flags &flags) {
  SecretReader secrets;
  const EngineConfig engine = read_engine(flags, secrets, {options.auth});
  TokenQuestion question;
  question.token = require(secrets.read(options.token, "--token"));
  question.path = options.path;
  question.names = require(list_of_flags(options.names, "--name"));
  question.auth = options.auth;
  if (!options.right.empty()) {
    question.wanted = read_one_right(options.right);
  }
  question.rules = require(rules_of_flags(options.rules, secrets));
  const CheckedToken checked = require(check_token(engine, question));
  if (checked.expires_s != 0) {
    std::cout << "rule     " << (checked.rule.empty() ? "unknown" : checked.rule) << "\nrights   "
              << words_of(checked.rights) << "\nexpires  " << utc(checked.expires_s) << '\n';
  }
  if (!checked.verdict.ok()) {
    throw Refusal{kExitFailure, "refused: " + checked.verdict.said()};
  }
  std::cout << "accepted\n";
  return kExitOk;
}

} // namespace

Run add_sas(CLI::App &parent, Flags &flags) {
  auto options = std::make_shared<SasOptions>();
  CLI::App *app = parent.add_subcommand("sas", "Make a token, or see what a relay thinks of one");
  app->require_subcommand(1);
  CLI::App *token = app->add_subcommand("token", "Print a token for an entity: a secret");
  token->add_option("--connection-string", options->connection_string, "env:NAME, file:PATH or -")
      ->type_name("S")
      ->required();
  token
      ->add_option("--lifetime", options->lifetime,
                   "Seconds it is good for, 60 to 604800 (default: 3600)")
      ->type_name("SECONDS");
  token->add_option("--transport", options->transport, "Plugin that says what a token is for")
      ->type_name("ID")
      ->capture_default_str();
  CLI::App *check = app->add_subcommand("verify", "Judge a token as a relay would");
  check->add_option("--token", options->token, "env:NAME, file:PATH or -")
      ->type_name("S")
      ->required();
  check->add_option("--name", options->names, "The relay's names")
      ->type_name("HOST[,HOST]")
      ->allow_extra_args(false)
      ->required();
  check->add_option("--entity", options->path, "The path it is used for")
      ->type_name("PATH")
      ->required();
  check->add_option("--rule", options->rules, "As for culvert relay; repeats")
      ->type_name("NAME:RIGHTS:SECRET")
      ->allow_extra_args(false)
      ->required();
  check
      ->add_option("--right", options->right,
                   "What the token must allow: listen, send or manage (default: any of them)")
      ->type_name("RIGHT");
  for (CLI::App *command : {token, check}) {
    command->add_option("--auth", options->auth, "Plugin that makes and verifies tokens")
        ->type_name("ID")
        ->capture_default_str();
    add_common(*command, flags);
  }
  return [options, token, &flags] {
    return token->parsed() ? print_token(*options, flags) : verify(*options, flags);
  };
}

} // namespace culvert::command
