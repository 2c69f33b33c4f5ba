// What a mistake says of a key that a file has in the wrong place, or that does not exist.
//
// Plain functions; one thread.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace culvert {

/// A key in a sentence; of one that may be something else than a name nothing is repeated.
std::string named(const std::string &key);
/// Whether a section's key is a table of its own, such as the entity of a relay.
bool is_inner_table(Section section, const std::string &key);

/// The sentence about a key that is no setting of the section.
std::string unknown_key(Section section, const std::string &key);
/// The sentence about a key outside of all sections that names none of them.
std::string unknown_section(const std::string &key);

} // namespace culvert
