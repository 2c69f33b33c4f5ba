// Checks without loading it whether a shared object may be a plugin.
//
// Plain functions, safe from any thread; they own nothing. They read the file, trust nothing in it,
// and run none of its code. A file of more than kPluginFileBytes is not a plugin.
#pragma once

#include <string>
#include <string_view>

namespace culvert {

/// Empty when the file is a shared object for this machine that exports `symbol`; else what was
/// wanted, what was found, and what to do.
std::string wrong_object(const std::string &file, std::string_view symbol);

/// True if the file contains the text followed by a zero byte, as compiled strings are.
bool holds_text(const std::string &file, const std::string &text);

} // namespace culvert
