// Reads a file or flags by the table of settings, without the judgement of what is read as a whole
// (facade/config_check.cpp).
//
// A plain function; one thread.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace culvert {

/// The most relays, listeners and senders of one file, all together.
inline constexpr std::size_t kMostRoles = 1'000;

LoadedConfig read_config_file(const std::string &path, SecretReader &secrets);
LoadedConfig read_config_flags(std::string_view section, const FlagValues &values,
                               SecretReader &secrets);

/// Gives the setting its default, if it has one.
void put_standard(const Setting &setting, Draft &draft, SecretReader &secrets);
/// Makes the engine read the secrets of plugins' settings with this reader.
void use_reader(EngineConfig &engine, SecretReader &secrets, const std::string &subject_prefix);

} // namespace culvert
