#include "config/entity_path.hpp"

#include "core/limits.hpp"

#include <algorithm>

namespace culvert {
namespace {

/// The characters that stay unchanged in a request target, in every HTTP implementation.
bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '~' || c == '/';
}

} // namespace

std::string entity_path_remedy(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.back() == '/' ||
      path.find("//") != std::string_view::npos) {
    return "write its path as one or more names with a single '/' between them, without one at "
           "either end";
  }
  if (path.size() > kEntityPathBytes || !std::all_of(path.begin(), path.end(), is_path_character)) {
    return "write its path with at most 260 of the characters A-Z a-z 0-9 . - _ ~ /";
  }
  const std::string framed = "/" + std::string(path) + "/";
  if (framed.find("/./") != std::string::npos || framed.find("/../") != std::string::npos) {
    return "write its path without '.' and '..' between the '/', which clients would resolve";
  }
  return "";
}

} // namespace culvert
