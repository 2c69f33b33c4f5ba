// The files of a relay, made just now: an authority, a certificate, two rule keys and the
// connection strings made of them, and the commands that run with them. `culvert setup relay` and
// the demo use it.
//
// Plain values on the main thread. The folder stays when the object is gone.
#pragma once

#include "command.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace culvert::command {

/// 256 random bits as letters and digits.
std::string random_key();

struct RelayFolder {
  std::string path;
  std::string name; // of the relay, in its certificate and in tokens
  std::string listener_key = random_key();
  std::string sender_key = random_key();

  [[nodiscard]] std::string file(const std::string &file_name) const;
  [[nodiscard]] std::string connection(std::uint16_t port, const std::string &entity,
                                       bool listen) const;
  /// listener.key, sender.key, listener.connection and sender.connection, for this user alone;
  /// throws a Refusal where one of them is there.
  void write_secrets(std::uint16_t port, const std::string &entity) const;

  [[nodiscard]] std::vector<std::string> relay_command(const std::string &bind,
                                                       const std::string &entity) const;
  [[nodiscard]] std::vector<std::string> listen_command(const std::string &target) const;
  [[nodiscard]] std::vector<std::string> connect_command(const std::string &bind) const;
};

/// A word as a shell reads it back.
std::string quoted(const std::string &word);
/// One line for a shell: this program, the words, and where its plugins are if that was said.
void print_command(std::vector<std::string> words, const Flags &flags);

} // namespace culvert::command
