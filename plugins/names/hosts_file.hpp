// The file of this machine's names and addresses (/etc/hosts), for the resolver plugins.
#pragma once

#include <string>

namespace names {

inline constexpr char kUsualHosts[] = "/etc/hosts";

/// What is in it, at most 4 MiB. A machine without the usual file has no names in it; another file
/// that cannot be read is an sdk::Error.
std::string read_hosts(const std::string &path);

/// An sdk::Error if the file of a setting is a pipe: who opens one may wait for ever.
void refuse_pipe(const std::string &path, const char *setting);

} // namespace names
