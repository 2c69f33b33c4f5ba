#include "config/connection_string.hpp"
#include "config/entity_path.hpp"
#include "config/reading.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace culvert {

std::string as_written(const Setting &setting) {
  const std::string &value = setting.example.empty() ? setting.standard : setting.example;
  const bool bare = setting.kind == SettingKind::kTruth || setting.kind == SettingKind::kCount ||
                    setting.kind == SettingKind::kShards;
  const std::string quoted = bare ? value : "\"" + value + "\"";
  return setting.key + " = " + (setting.repeats() ? "[" + quoted + "]" : quoted);
}

Status wrong_type(const Reading &reading, const Written &found) {
  return reading.wrong("it is " + std::string(found.words()) + "; write " +
                       as_written(reading.setting));
}

Result<std::string> text_of(const Reading &reading, const Written &written) {
  const std::string *text = written.text();
  if (text == nullptr) {
    return wrong_type(reading, written);
  }
  if (text->empty()) {
    return reading.wrong("it is empty; write " + as_written(reading.setting) + " or leave it out");
  }
  const SettingKind kind = reading.setting.kind;
  if (kind != SettingKind::kConnection && kind != SettingKind::kRuleKey &&
      holds_connection_string(*text)) {
    return reading.wrong("a connection string stands here; put it into a variable or file, and "
                         "write connection_string = \"env:NAME\" or \"file:PATH\"");
  }
  return *text;
}

Result<std::vector<std::string>> list_of(const Reading &reading) {
  std::vector<std::string> items;
  const Written::List one{reading.written};
  const Written::List *list = reading.written.list();
  for (const Written &item : list == nullptr ? one : *list) {
    Result<std::string> text = text_of(reading, item);
    if (!text.ok()) {
      return text.status();
    }
    items.push_back(std::move(text.value()));
  }
  if (items.empty()) {
    return reading.wrong("the list is empty; write " + as_written(reading.setting));
  }
  return items;
}

namespace {

Result<std::vector<std::string>> hosts_of(const Reading &reading) {
  Result<std::vector<std::string>> items = list_of(reading);
  return items.ok() && reading.written.of_flag ? list_of_flags(items.value(), reading.subject)
                                               : std::move(items);
}

// --- words --------------------------------------------------------------------------------------

Result<SettingValue> read_truth(const Reading &reading) {
  SettingValue value;
  const auto *truth = std::get_if<bool>(&reading.written.value);
  if (truth == nullptr && !reading.written.of_flag) {
    return wrong_type(reading, reading.written);
  }
  const bool is_true = truth != nullptr ? *truth : *reading.written.text() == "true";
  if (truth == nullptr && !is_true && *reading.written.text() != "false") {
    return reading.wrong(in_quotes(*reading.written.text()) +
                         " is neither true nor false; write one of them");
  }
  value.number = is_true ? 1 : 0;
  return value;
}

Result<SettingValue> read_choice(const Reading &reading) {
  const Result<std::string> text = text_of(reading, reading.written);
  if (!text.ok()) {
    return text.status();
  }
  const std::vector<std::string> &words = reading.setting.words;
  const auto found = std::find(words.begin(), words.end(), text.value());
  if (found == words.end()) {
    const std::string near = nearest_word(text.value(), words);
    return reading.wrong(in_quotes(text.value()) + " is none of its words; write " + one_of(words) +
                         (near.empty() ? "" : " (did you mean '" + near + "'?)"));
  }
  SettingValue value;
  value.number = static_cast<std::uint64_t>(found - words.begin());
  return value;
}

Result<SettingValue> read_rights(const Reading &reading) {
  std::vector<std::string> words;
  const Written::List one{reading.written};
  const Written::List *list = reading.written.list();
  for (const Written &item : list == nullptr ? one : *list) {
    if (item.text() == nullptr) {
      return wrong_type(reading, item);
    }
    words.push_back(*item.text());
  }
  const Result<Rights> rights = rights_of_words(words, reading.subject);
  if (!rights.ok()) {
    return rights.status();
  }
  SettingValue value;
  value.rights = rights.value();
  return value;
}

Result<SettingValue> read_mode(const Reading &reading) {
  const Result<std::string> text = text_of(reading, reading.written);
  if (!text.ok()) {
    return text.status();
  }
  const bool octal = text.value().size() >= 3 && text.value().size() <= 4 &&
                     text.value().find_first_not_of("01234567") == std::string::npos;
  const unsigned long mode = octal ? std::stoul(text.value(), nullptr, 8) : 0;
  if (mode == 0 || mode > 0777) {
    return reading.wrong(text.value(), "is no mode of a file; write 0660");
  }
  SettingValue value;
  value.number = mode;
  return value;
}

Result<SettingValue> read_text(const Reading &reading) {
  Result<std::string> text = text_of(reading, reading.written);
  if (!text.ok()) {
    return text.status();
  }
  SettingValue value;
  value.text = std::move(text.value());
  const SettingKind kind = reading.setting.kind;
  if (kind == SettingKind::kFile || kind == SettingKind::kKeyFile) {
    value.text = reading.secrets.located(value.text);
  }
  if (kind == SettingKind::kKeyFile) {
    Status status = reading.secrets.check_private(value.text, reading.subject);
    if (!status.ok()) {
      return status;
    }
  }
  if (kind == SettingKind::kEntityPath) {
    const std::string remedy = entity_path_remedy(value.text);
    if (!remedy.empty()) {
      return reading.wrong(value.text, "names no entity: " + remedy);
    }
  }
  if (kind == SettingKind::kRuleName && value.text.size() > kRuleNameBytes) {
    return reading.wrong("it has over 256 characters; write a shorter name");
  }
  return value;
}

Result<SettingValue> read_list(const Reading &reading) {
  Result<std::vector<std::string>> items =
      reading.setting.kind == SettingKind::kHosts ? hosts_of(reading) : list_of(reading);
  if (!items.ok()) {
    return items.status();
  }
  SettingValue value;
  value.list = std::move(items.value());
  if (reading.setting.kind == SettingKind::kFolders) {
    for (std::string &folder : value.list) {
      folder = reading.secrets.located(folder);
    }
  }
  return value;
}

// --- proxies and secrets -------------------------------------------------------------------------

Result<SettingValue> read_proxy(const Reading &reading) {
  const Result<std::string> text = text_of(reading, reading.written);
  if (!text.ok()) {
    return text.status();
  }
  SettingValue value;
  if (text.value() == "none") {
    return value;
  }
  Result<ProxyConfig> proxy = ProxyConfig::parse(text.value());
  if (!proxy.ok()) {
    return reading.wrong(proxy.status().message);
  }
  if (!proxy.value().credentials.empty()) {
    return reading.wrong("it holds a user or password, which others could read here; put "
                         "USER:PASSWORD into a variable or file, and set proxy_credentials to "
                         "env:NAME or file:PATH");
  }
  value.proxy = std::move(proxy.value());
  return value;
}

Result<SettingValue> read_secret(const Reading &reading) {
  const std::string *reference = reading.written.text();
  if (reference == nullptr) {
    return wrong_type(reading, reading.written);
  }
  Result<Secret> secret = reading.secrets.read(*reference, reading.subject);
  if (!secret.ok()) {
    return secret.status();
  }
  const auto wrong = [&](const std::string &message) {
    return is_secret_reference(*reference) ? Status::machine(message) : Status::config(message);
  };
  SettingValue value;
  if (reading.setting.kind == SettingKind::kRuleKey) {
    if (holds_connection_string(secret.value().reveal())) {
      return wrong(reading.subject + ": a connection string stands here; write its key alone");
    }
    if (secret.value().reveal().find(' ') != std::string_view::npos) {
      return wrong(reading.subject + ": the key holds a blank; write the key alone");
    }
    value.secret = std::move(secret.value());
    return value;
  }
  if (reading.setting.kind == SettingKind::kCredentials) {
    const std::string_view text = secret.value().reveal();
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 ||
        std::any_of(text.begin(), text.end(), is_control)) {
      return wrong(reading.subject + ": it is not USER:PASSWORD in one line; write it so");
    }
    value.secret = std::move(secret.value());
    return value;
  }
  Result<ConnectionString> parsed = ConnectionString::parse(secret.value().reveal());
  if (!parsed.ok()) {
    return wrong(reading.subject + ": " + parsed.status().message);
  }
  value.connection = std::move(parsed.value());
  return value;
}

} // namespace

std::string form_of(const Setting &setting) {
  switch (setting.kind) {
  case SettingKind::kTruth: // most flags have no value: the flag says that it is true
    return setting.standard == "true" ? "true|false" : "";
  case SettingKind::kHosts:
    return "HOST[,HOST]";
  case SettingKind::kPlugin:
  case SettingKind::kPlugins:
    return "ID";
  case SettingKind::kCount:
    return "N";
  case SettingKind::kShards:
    return "N|auto";
  case SettingKind::kDuration:
    return "TIME";
  case SettingKind::kSize:
    return "SIZE";
  case SettingKind::kChoice:
    return one_of(setting.words, "|");
  case SettingKind::kFile:
  case SettingKind::kKeyFile:
    return "FILE";
  case SettingKind::kFolders:
    return "DIR";
  case SettingKind::kAddresses:
  case SettingKind::kAdminAddress:
    return "ADDRESS:PORT";
  case SettingKind::kTarget:
    return "HOST:PORT";
  case SettingKind::kPublicAddress:
    return "HOST[:PORT]";
  case SettingKind::kMode:
    return "MODE";
  case SettingKind::kResolve:
    return "NAME=ADDR[,ADDR]";
  case SettingKind::kEntityPath:
    return "PATH";
  case SettingKind::kProxy:
    return "URL|none";
  case SettingKind::kConnection:
  case SettingKind::kRuleKey:
  case SettingKind::kCredentials:
    return "S";
  default:
    return "TEXT";
  }
}

Result<SettingValue> read_value(const Setting &setting, const Written &written,
                                const std::string &subject, SecretReader &secrets) {
  const Reading reading{setting, written, subject, secrets};
  switch (setting.kind) {
  case SettingKind::kCount:
  case SettingKind::kShards:
    return read_count(reading);
  case SettingKind::kDuration:
    return read_duration(reading);
  case SettingKind::kSize:
    return read_size(reading);
  case SettingKind::kTruth:
    return read_truth(reading);
  case SettingKind::kChoice:
    return read_choice(reading);
  case SettingKind::kRights:
    return read_rights(reading);
  case SettingKind::kMode:
    return read_mode(reading);
  case SettingKind::kAddresses:
    return read_addresses(reading);
  case SettingKind::kAdminAddress:
    return read_admin_address(reading);
  case SettingKind::kTarget:
    return read_target(reading);
  case SettingKind::kPublicAddress:
    return read_public_address(reading);
  case SettingKind::kLoopbacks:
    return read_loopbacks(reading);
  case SettingKind::kNameServers:
    return read_name_servers(reading);
  case SettingKind::kProxy:
    return read_proxy(reading);
  case SettingKind::kRuleKey:
  case SettingKind::kConnection:
  case SettingKind::kCredentials:
    return read_secret(reading);
  case SettingKind::kHosts:
  case SettingKind::kPlugins:
  case SettingKind::kFolders:
  case SettingKind::kResolve:
    return read_list(reading);
  case SettingKind::kText:
  case SettingKind::kPlugin:
  case SettingKind::kFile:
  case SettingKind::kKeyFile:
  case SettingKind::kEntityPath:
  case SettingKind::kRuleName:
    return read_text(reading);
  }
  return Status::failure(Code::kInternal, Source::kLocal, Retry::kNever, "no such kind");
}

} // namespace culvert
