// The text of /etc/hosts and /etc/nsswitch.conf with redirected names in it.
//
// Pure functions.
#pragma once

#include "culvert/config_file.hpp"

#include <string>

namespace culvert::command {

/// As redirected_names() has them.
using RedirectedNames = std::map<std::string, std::string>;

/// The lines that lead each name to its address. Each address also stands there as an IPv4-mapped
/// IPv6 address (RFC 4291, section 2.5.5.2), for apps that know only IPv6.
std::string hosts_lines(const RedirectedNames &names);
/// The hosts file for one command: the redirected names first, and none of them in any other line.
std::string hosts_for_command(const std::string &hosts, const RedirectedNames &names);
/// nsswitch.conf in which the hosts file comes before every other source of host names.
std::string files_first(const std::string &nsswitch);

/// The file with one marked block in front, in place of the one it has. A failure names the line
/// that gives one of the names already.
Result<std::string> with_block(const std::string &hosts, const RedirectedNames &names);
/// The file without the block, byte for byte as it was before. A failure says that the block has no
/// end; a file without a block is as it is.
Result<std::string> without_block(const std::string &hosts);

} // namespace culvert::command
