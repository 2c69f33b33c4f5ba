#include "relay_folder.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <random>
#include <unistd.h>

namespace culvert::command {
namespace {

void write_new_file(const std::string &path, const std::string &content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, content.data(), content.size()) ==
                                        static_cast<ssize_t>(content.size());
  const int error = errno;
  if (file >= 0) {
    close(file);
  }
  if (!written) {
    throw Refusal{kExitFailure, "cannot write '" + path + "': " + std::strerror(error)};
  }
}

std::string program() {
  std::string path(4096, '\0');
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return path.empty() ? "culvert" : path;
}

} // namespace

std::string random_key() {
  static constexpr char kDigits[] =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::random_device source;
  std::uniform_int_distribution<std::size_t> digit(0, sizeof kDigits - 2);
  std::string key;
  for (int i = 0; i < 43; ++i) { // 256 bits
    key += kDigits[digit(source)];
  }
  return key;
}

std::string RelayFolder::file(const std::string &file_name) const {
  return path + "/" + file_name;
}

std::string RelayFolder::connection(std::uint16_t port, const std::string &entity,
                                    bool listen) const {
  const HostPort relay{name, port, ""};
  return "Endpoint=sb://" + relay.text() +
         "/;SharedAccessKeyName=" + (listen ? "listener" : "sender") +
         ";SharedAccessKey=" + (listen ? listener_key : sender_key) + ";EntityPath=" + entity;
}

void RelayFolder::write_secrets(std::uint16_t port, const std::string &entity) const {
  write_new_file(file("listener.key"), listener_key + "\n");
  write_new_file(file("sender.key"), sender_key + "\n");
  write_new_file(file("listener.connection"), connection(port, entity, true) + "\n");
  write_new_file(file("sender.connection"), connection(port, entity, false) + "\n");
}

std::vector<std::string> RelayFolder::relay_command(const std::string &bind,
                                                    const std::string &entity) const {
  return {"relay",
          "--bind",
          bind,
          "--certificate",
          file("relay.pem"),
          "--private-key",
          file("relay.key"),
          "--name",
          name,
          "--entity",
          entity,
          "--rule",
          "listener:listen:file:" + file("listener.key"),
          "--rule",
          "sender:send:file:" + file("sender.key")};
}

std::vector<std::string> RelayFolder::listen_command(const std::string &target) const {
  return {
      "listen", "--connection-string", "file:" + file("listener.connection"), "--target", target,
      "--ca",   file("ca.pem")};
}

std::vector<std::string> RelayFolder::connect_command(const std::string &bind) const {
  return {"connect", "--connection-string", "file:" + file("sender.connection"), "--bind", bind,
          "--ca",    file("ca.pem")};
}

std::string quoted(const std::string &word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("/._-:,=@%+").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) {
    return word;
  }
  std::string result = "'";
  for (const char c : word) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result + "'";
}

void print_command(std::vector<std::string> words, const Flags &flags) {
  for (const char *flag : {"--plugin-directory", "--set"}) {
    const auto given = flags.many.find(flag);
    for (const std::string &value :
         given == flags.many.end() ? std::vector<std::string>{} : given->second) {
      if (words.front() != "relay" || !value.starts_with("resolver_")) { // it has none
        words.insert(words.end(), {flag, value});
      }
    }
  }
  if (const auto backend = flags.one.find("--backend");
      backend != flags.one.end() && !backend->second.empty()) {
    words.insert(words.end(), {"--backend", backend->second});
  }
  std::cout << quoted(program());
  for (const std::string &word : words) {
    std::cout << " " << quoted(word);
  }
  std::cout << "\n";
}

} // namespace culvert::command
