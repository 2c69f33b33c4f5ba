// A process that runs roles until a signal, and reads its configuration again on SIGHUP.
//
// One thread: the engine's control thread.
#pragma once

#include "command.hpp"

#include <functional>
#include <string>
#include <vector>

namespace culvert::command {

struct ConfigSource {
  Speech speech = Speech::kFlags;
  std::string file; // empty: flags
  std::function<LoadedConfig(SecretReader &)> load;
};

/// "culvert.toml:3:1: " and the sentence, in the words of the source.
std::string line_of(const ConfigSource &source, const ConfigMistake &mistake);
/// The same of a warning: "culvert.toml:3:1: warning: " and the sentence.
std::string warning_of(const ConfigSource &source, ConfigMistake warning);
/// The plugins of a configuration's roles, each once.
std::vector<std::string> plugins_of(const Configuration &configuration);
/// Throws a Refusal when it cannot start.
int serve(const ConfigSource &source);

} // namespace culvert::command
