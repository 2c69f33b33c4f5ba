#include "relay_folder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sys/stat.h>

namespace culvert::command {
namespace {

std::string without_newline(std::string text) {
  if (!text.empty() && text.back() == '\n') {
    text.pop_back();
    if (!text.empty() && text.back() == '\r') { // of a file from Windows
      text.pop_back();
    }
  }
  return text;
}

/// A secret is a key, a token or a connection string: whoever gives more means another file.
std::string read_all(std::istream &stream, const std::string &what, const std::string &option) {
  constexpr std::streamsize kMostBytes = 65'536;
  std::string value(kMostBytes + 1, '\0');
  stream.read(value.data(), kMostBytes + 1);
  value.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad() || value.size() > kMostBytes) {
    throw Refusal{kExitFailure, option + ": " + what +
                                    (stream.bad() ? " cannot be read" : " is over 65536 bytes") +
                                    "; name one that holds the secret alone"};
  }
  return without_newline(std::move(value));
}

std::string from_environment(const std::string &name, const std::string &option) {
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
  if (!is_name) { // it may be the secret itself
    throw Refusal{kExitUsage,
                  option + ": env: has no name of a variable behind it; write env:NAME"};
  }
  const char *found = std::getenv(name.c_str());
  if (found == nullptr) {
    throw Refusal{kExitFailure,
                  option + ": the environment variable '" + name + "' is not set; export it first"};
  }
  return without_newline(found);
}

std::string from_file(const std::string &path, const std::string &option) {
  if (path.empty()) {
    throw Refusal{kExitUsage, option + ": file: has no path behind it; write file:PATH"};
  }
  std::error_code error;
  const bool is_directory = std::filesystem::is_directory(path, error);
  std::ifstream file;
  if (!is_directory) {
    errno = 0;
    file.open(path, std::ios::binary);
  }
  if (!file.is_open()) {
    throw Refusal{kExitFailure, option + ": cannot read the file '" + path +
                                    "': " + std::strerror(is_directory ? EISDIR : errno) +
                                    "; name a file that this user may read"};
  }
  return read_all(file, "the file '" + path + "'", option);
}

void check_secret(const std::string &value, const std::string &option, int code) {
  if (value.empty()) {
    throw Refusal{code, option + ": the secret is empty; put it where it is read from"};
  }
  if (value.starts_with("\xef\xbb\xbf")) {
    throw Refusal{code, option + ": the secret begins with a byte order mark; save it as "
                                 "plain text without one"};
  }
  if (std::any_of(value.begin(), value.end(),
                  [](unsigned char c) { return std::iscntrl(c) != 0; })) {
    throw Refusal{code, option + ": the secret holds a line break or another control "
                                 "character; write it as one line"};
  }
  if (value.size() > 1 && value.front() == value.back() &&
      (value.front() == '"' || value.front() == '\'')) { // Docker's --env-file keeps them
    throw Refusal{code, option + ": the secret stands in quotes; write it without them"};
  }
  if (value.front() == ' ' || value.back() == ' ') {
    throw Refusal{code, option + ": the secret has a blank at its beginning or end; write "
                                 "it without"};
  }
}

} // namespace

void warn_of_readers(const std::string &path, Log &log) {
  struct stat facts {};
  const bool open_to_others =
      stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & S_IRWXO) != 0;
  if (open_to_others) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(facts.st_mode & 07777));
    log.write(LogLevel::kWarn,
              "every user of this machine may open the secret file; run: chmod 600 " + quoted(path),
              {{"mode", mode.data()}});
  }
}

int SecretReader::fault_of(const std::string &text) {
  const bool elsewhere = text.starts_with("env:") || text.starts_with("file:") || text == "-";
  return elsewhere ? kExitFailure : kExitUsage;
}

Secret SecretReader::read(const std::string &text, const std::string &option) {
  std::string value;
  if (text.empty()) {
    throw Refusal{kExitUsage, option + ": no secret is named; write env:NAME, file:PATH or -"};
  }
  if (text.starts_with("env:")) {
    value = from_environment(text.substr(4), option);
  } else if (text.starts_with("file:")) {
    value = from_file(text.substr(5), option);
  } else if (text == "-") {
    if (!stdin_reader_.empty()) {
      throw Refusal{kExitUsage, option + ": standard input is read once, for " + stdin_reader_ +
                                    "; write env:NAME or file:PATH for one of the two"};
    }
    stdin_reader_ = option;
    value = read_all(std::cin, "standard input", option);
  } else if (literals_allowed_) {
    value = text;
  } else {
    throw Refusal{kExitUsage, option +
                                  ": a secret on the command line can be read by every user of "
                                  "this machine; write env:NAME, file:PATH or - (standard "
                                  "input), or add --insecure-literal-secrets"};
  }
  check_secret(value, option, fault_of(text));
  if (text.starts_with("file:")) {
    warn_of_readers(text.substr(5), log_);
  }
  return Secret(value);
}

} // namespace culvert::command
