#include "target.hpp"

#include "text.hpp"

namespace azure {
namespace {

constexpr std::string_view kPrefix = "sb-hc-";

/// Where the query starts. A '?' that was escaped by mistake counts when there is no other.
struct Split {
  std::string_view path;
  std::string_view query;
  bool has_query = false;
};

Split split(std::string_view target) {
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) {
    return {target.substr(0, mark), target.substr(mark + 1), true};
  }
  for (std::size_t i = 0; i + 2 < target.size(); ++i) {
    if (starts_ignoring_case(target.substr(i), "%3F")) {
      return {target.substr(0, i), target.substr(i + 3), true};
    }
  }
  return {target, {}, false};
}

void keep_first(std::optional<std::string> &slot, std::string_view value) {
  if (!slot) {
    slot = form_decode(value);
  }
}

void keep(Target &target, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view wanted) { return equal_ignoring_case(name, wanted); };
  if (is("sb-hc-action")) {
    keep_first(target.action, value);
  } else if (is("sb-hc-id")) {
    keep_first(target.id, value);
  } else if (is("sb-hc-token")) {
    keep_first(target.token, value);
  } else if (is(kCapabilityName)) {
    keep_first(target.capability, value);
  } else if (is("sb-hc-statusCode")) {
    keep_first(target.status_code, value);
  } else if (is("sb-hc-statusDescription")) {
    keep_first(target.status_description, value);
  }
}

/// A token that was put into the query as it is: its own '&' end the pair, so the rest of it stands
/// in the pairs behind.
bool is_cut_token(std::string_view name, std::string_view value) {
  const std::string token = form_decode(value);
  return equal_ignoring_case(name, "sb-hc-token") &&
         starts_ignoring_case(token, "SharedAccessSignature") &&
         token.find("sig=") == std::string::npos;
}

bool is_part_of_token(std::string_view name) {
  for (const std::string_view part : {"sr", "sig", "se", "skn"}) {
    if (equal_ignoring_case(name, part)) {
      return true;
    }
  }
  return false;
}

/// hyco-websocket sends the parameters of a refusal without the prefix. They count only behind the
/// capability: the sender's own query stands before it and may use these names too.
bool keep_without_prefix(Target &target, std::string_view name, std::string_view value) {
  if (!target.capability) {
    return false;
  }
  if (equal_ignoring_case(name, "statusCode")) {
    keep_first(target.status_code, value);
    return true;
  }
  if (equal_ignoring_case(name, "statusDescription")) {
    keep_first(target.status_description, value);
    return true;
  }
  return false;
}

void read_query(Target &target, std::string_view query) {
  bool first = true;
  bool token_is_cut = false;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    bool ours = false;
    if (equals != std::string_view::npos) {
      const std::string name = form_decode(pair.substr(0, equals));
      const std::string_view value = pair.substr(equals + 1);
      ours = starts_ignoring_case(name, kPrefix);
      if (ours) {
        keep(target, name, value);
        token_is_cut = token_is_cut || is_cut_token(name, value);
      } else {
        ours = (token_is_cut && is_part_of_token(name)) || keep_without_prefix(target, name, value);
      }
    }
    if (!ours) {
      target.query += first ? "" : "&";
      target.query += pair;
      first = false;
    }
    if (end == std::string_view::npos) {
      break;
    }
    query.remove_prefix(end + 1);
  }
  target.has_query = !first;
}

std::string_view trim_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') {
    path.remove_prefix(1);
  }
  while (!path.empty() && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path;
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return true;
    }
  }
  return false;
}

} // namespace

Target read_target(std::string_view text) {
  Target target;
  if (text.empty() || text.front() != '/' || !is_utf8(text) || !is_target_text(text)) {
    return target;
  }
  const Split parts = split(text);
  std::string_view path = parts.path.substr(1);
  const std::size_t slash = path.find('/');
  const auto first = percent_decode(path.substr(0, slash));
  target.web_socket =
      slash != std::string_view::npos && first && equal_ignoring_case(*first, "$hc");
  if (target.web_socket) {
    path.remove_prefix(slash + 1);
    target.raw_path = path;
  }
  const auto decoded = percent_decode(path);
  if (!decoded || !is_utf8(*decoded) || has_control(*decoded)) {
    return target;
  }
  target.path = trim_slashes(*decoded);
  if (parts.has_query) {
    read_query(target, parts.query);
  }
  target.valid = true;
  return target;
}

} // namespace azure
