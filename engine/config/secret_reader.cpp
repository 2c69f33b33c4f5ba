#include "culvert/secret_reader.hpp"

#include "core/regular_file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>

namespace culvert {
namespace {

void drop_newline(std::string &text) {
  if (!text.empty() && text.back() == '\n') {
    text.pop_back();
    if (!text.empty() && text.back() == '\r') { // of a file from Windows
      text.pop_back();
    }
  }
}

/// A secret is a key, a token or a connection string; what is larger is another file by mistake.
constexpr std::size_t kMostBytes = 65'536;

Status no_secret(const std::string &setting, const std::string &what, const char *why) {
  return Status::machine(setting + ": " + what + why + "; name one that holds the secret alone");
}

Result<std::string> read_stdin(const std::string &setting) {
  std::string value(kMostBytes + 1, '\0');
  std::cin.read(value.data(), kMostBytes + 1);
  value.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (std::cin.bad() || value.size() > kMostBytes) {
    return no_secret(setting, "standard input",
                     std::cin.bad() ? " cannot be read" : " is over 65536 bytes");
  }
  drop_newline(value);
  return value;
}

Result<std::string> from_environment(const std::string &name, const std::string &setting) {
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
  if (!is_name) { // it may be the secret itself
    return Status::config(setting + ": env: has no name of a variable behind it; write env:NAME");
  }
  const char *found = std::getenv(name.c_str());
  if (found == nullptr) {
    return Status::machine(setting + ": the environment variable '" + name +
                           "' is not set; export it first");
  }
  std::string value = found;
  drop_newline(value);
  return value;
}

/// Empty lines stand behind the first line, and nothing else.
bool only_empty_lines_follow(const std::string &value) {
  const std::size_t end = value.find('\n');
  return end != std::string::npos && end > 0 &&
         value.find_first_not_of("\r\n", end) == std::string::npos;
}

/// What is wrong with the secret itself; "" if nothing is.
std::string remedy_of(const std::string &value) {
  if (value.empty()) {
    return "the secret is empty; put it where it is read from";
  }
  if (value.starts_with("\xef\xbb\xbf")) {
    return "the secret begins with a byte order mark; save it as plain text without one";
  }
  if (only_empty_lines_follow(value)) {
    return "line 2 is empty; remove it";
  }
  if (std::any_of(value.begin(), value.end(), is_control)) {
    return "the secret holds a line break or another control character; write it as one line";
  }
  if (value.size() > 1 && value.front() == value.back() &&
      (value.front() == '"' || value.front() == '\'')) { // Docker's --env-file keeps them
    return "the secret stands in quotes; write it without them";
  }
  if (value.front() == ' ' || value.back() == ' ') {
    return "the secret has a blank at its beginning or end; write it without";
  }
  return "";
}

} // namespace

bool is_secret_reference(const std::string &text) {
  return text.starts_with("env:") || text.starts_with("file:") || text == "-";
}

std::string SecretReader::located(const std::string &path) const {
  return path.empty() || path.starts_with('/') || policy_.folder.empty()
             ? path
             : policy_.folder + "/" + path;
}

Status SecretReader::check_private(const std::string &path, const std::string &setting) const {
  const RegularFile file = read_regular_file(path, 0); // the mode alone
  return file.why_not.empty() ? check_mode(path, file.mode, setting) : Status{};
}

Status SecretReader::check_mode(const std::string &path, unsigned mode_of_it,
                                const std::string &setting) const {
  if ((mode_of_it & S_IRWXO) == 0 || policy_.readable_files) {
    return {};
  }
  std::array<char, 12> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", mode_of_it);
  return Status::machine(
      setting + ": every user of this machine may open the secret file '" + path + "' (mode " +
      mode.data() + "); take this right away with chmod o-rwx, or set " +
      (policy_.in_file ? "insecure_secret_files = true in [engine]" : "--insecure-secret-files"));
}

Result<std::string> SecretReader::from_file(const std::string &named,
                                            const std::string &setting) const {
  if (named.empty()) {
    return Status::config(setting + ": file: has no path behind it; write file:PATH");
  }
  const std::string path = located(named);
  RegularFile file = read_regular_file(path, kMostBytes);
  if (!file.why_not.empty()) {
    return Status::machine(setting + ": cannot read the file '" + path + "': " + file.why_not +
                           "; name a file that this user may read");
  }
  if (Status status = check_mode(path, file.mode, setting); !status.ok()) {
    return status;
  }
  if (file.too_large) {
    return no_secret(setting, "the file '" + path + "'", " is over 65536 bytes");
  }
  drop_newline(file.content);
  return std::move(file.content);
}

Result<std::string> SecretReader::from_stdin(const std::string &setting) {
  if (policy_.in_file) {
    return Status::config(setting + ": a configuration file cannot refer to standard input; write "
                                    "env:NAME or file:PATH");
  }
  if (!stdin_setting_.empty()) {
    return Status::config(setting + ": standard input is read once, for " + stdin_setting_ +
                          "; write env:NAME or file:PATH for one of the two");
  }
  stdin_setting_ = setting;
  if (!stdin_read_) {
    Result<std::string> text = read_stdin(setting);
    if (!text.ok()) {
      return text;
    }
    stdin_read_ = true;
    stdin_secret_ = Secret::take(text.value());
  }
  return std::string(stdin_secret_.reveal());
}

Status SecretReader::no_literal(const std::string &reference, const std::string &setting) const {
  std::error_code error;
  if (std::filesystem::is_regular_file(located(reference), error)) {
    return Status::config(setting + ": '" + reference + "' is a file; write file:" + reference);
  }
  return Status::config(
      policy_.in_file
          ? setting + ": a secret in the configuration file can be read by everybody who may read "
                      "that file; write env:NAME or file:PATH, or set insecure_literal_secrets = "
                      "true in [engine]"
          : setting + ": a secret on the command line can be read by every user of this machine; "
                      "write env:NAME, file:PATH or - (standard input), or add "
                      "--insecure-literal-secrets");
}

Result<Secret> SecretReader::read(const std::string &reference, const std::string &setting) {
  Result<std::string> text = reference;
  if (reference.empty()) {
    return Status::config(setting + ": no secret is named; write env:NAME" +
                          (policy_.in_file ? " or file:PATH" : ", file:PATH or -"));
  }
  if (reference.starts_with("env:")) {
    text = from_environment(reference.substr(4), setting);
  } else if (reference.starts_with("file:")) {
    text = from_file(reference.substr(5), setting);
  } else if (reference == "-") {
    text = from_stdin(setting);
  } else if (!policy_.literals) {
    return no_literal(reference, setting);
  }
  if (!text.ok()) {
    return text.status();
  }
  if (const std::string remedy = remedy_of(text.value()); !remedy.empty()) {
    const std::string message = setting + ": " + remedy;
    cleanse(text.value());
    return is_secret_reference(reference) ? Status::machine(message) : Status::config(message);
  }
  return Secret::take(text.value());
}

} // namespace culvert
