// What can be seen of a shared object without mapping it: whether it may be a plugin at all.
//
// A plain function; any thread. It reads the file, trusts nothing in it, and runs none of its code.
// A file of more than kPluginFileBytes is no plugin.
#pragma once

#include <string>
#include <string_view>

namespace culvert {

/// Empty when the file is a shared object for this machine that exports `symbol`; else what was
/// wanted, what was found, and what to do.
std::string wrong_object(const std::string &file, std::string_view symbol);

/// Whether the text stands in the file, with a zero byte behind it as in a program.
bool holds_text(const std::string &file, const std::string &text);

} // namespace culvert
