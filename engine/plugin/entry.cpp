#include "plugin/entry.hpp"

#include "core/limits.hpp"
#include "plugin/config.hpp"
#include "plugin/host.hpp"
#include "plugin/values.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>

namespace culvert {

namespace {

constexpr std::array<std::string_view, 4> kKindIds{CULVERT_KIND_TRANSPORT, CULVERT_KIND_RELAY,
                                                   CULVERT_KIND_AUTH, CULVERT_KIND_RESOLVER};

/// Copies the members that both sides know of a struct that begins with its size; a pointer that
/// does not fit into it whole is not there.
template <typename T> T copy_sized(const void *from) {
  std::uint32_t size = 0;
  std::memcpy(&size, from, sizeof size);
  size -= size % alignof(T);
  T out{};
  std::memcpy(&out, from, std::min<std::size_t>(size, sizeof out));
  return out;
}

const char *missing(const culvert_transport &kind) {
  return kind.audience == nullptr     ? "audience"
         : kind.listen == nullptr     ? "listen"
         : kind.dial == nullptr       ? "dial"
         : kind.on_reply == nullptr   ? "on_reply"
         : kind.on_message == nullptr ? "on_message"
         : kind.accept == nullptr     ? "accept"
         : kind.reject == nullptr     ? "reject"
                                      : nullptr;
}

const char *missing(const culvert_relay &kind) {
  return kind.on_head == nullptr      ? "on_head"
         : kind.on_message == nullptr ? "on_message"
         : kind.offer == nullptr      ? "offer"
         : kind.outcome == nullptr    ? "outcome"
                                      : nullptr;
}

const char *missing(const culvert_auth &kind) {
  return kind.acquire == nullptr   ? "acquire"
         : kind.refused == nullptr ? "refused"
         : kind.verify == nullptr  ? "verify"
                                   : nullptr;
}

const char *missing(const culvert_resolver &kind) {
  return kind.resolve == nullptr ? "resolve" : nullptr;
}

KindFunctions functions_of(PluginKind kind, const void *functions) {
  switch (kind) {
  case PluginKind::kTransport:
    return copy_sized<culvert_transport>(functions);
  case PluginKind::kRelay:
    return copy_sized<culvert_relay>(functions);
  case PluginKind::kAuth:
    return copy_sized<culvert_auth>(functions);
  case PluginKind::kResolver:
    break;
  }
  return copy_sized<culvert_resolver>(functions);
}

std::optional<PluginKind> kind_of(std::string_view id) {
  const auto *found = std::find(kKindIds.begin(), kKindIds.end(), id);
  return found == kKindIds.end() ? std::nullopt
                                 : std::optional(static_cast<PluginKind>(found - kKindIds.begin()));
}

/// The rules of an entry; each returns what is wrong, or an empty text.
std::string wrong_head(const culvert_plugin &entry) {
  char text[160];
  if (entry.magic != CULVERT_PLUGIN_MAGIC) {
    std::snprintf(text, sizeof text,
                  "wanted the magic number %016" PRIx64 ", found %016" PRIx64
                  "; this is no Culvert plugin, or one for another machine",
                  CULVERT_PLUGIN_MAGIC, entry.magic);
    return text;
  }
  if (entry.size < sizeof(culvert_plugin)) {
    std::snprintf(text, sizeof text,
                  "wanted an entry of at least %zu bytes, found %u; set its size to "
                  "sizeof(culvert_plugin)",
                  sizeof(culvert_plugin), entry.size);
    return text;
  }
  if (entry.abi_minor_required > CULVERT_ABI_MINOR) {
    std::snprintf(text, sizeof text,
                  "it requires ABI 1.%u, this program offers 1.%u; use a newer Culvert or an older "
                  "plugin",
                  entry.abi_minor_required, CULVERT_ABI_MINOR);
    return text;
  }
  return {};
}

std::string wrong_texts(const culvert_plugin &entry, std::string_view id) {
  const std::array<const char *, 6> texts{entry.id,      entry.version, entry.vendor,
                                          entry.license, entry.summary, entry.build_note};
  if (std::any_of(texts.begin(), texts.end(), [](const char *text) { return text == nullptr; })) {
    return "wanted texts for id, version, vendor, license, summary and build_note, found NULL; "
           "write \"\" for none";
  }
  if (id != entry.id) {
    return "wanted the id '" + std::string(id) + "', found '" + one_line(entry.id, 64) +
           "'; the id is the file's name without .so";
  }
  if (entry.kind_count > kPluginDeclarations || entry.config_key_count > kPluginDeclarations ||
      entry.service_count > kPluginDeclarations) {
    return "it declares more than " + std::to_string(kPluginDeclarations) +
           " kinds, settings or services";
  }
  if ((entry.kind_count > 0 && entry.kinds == nullptr) ||
      (entry.config_key_count > 0 && entry.config_keys == nullptr) ||
      (entry.service_count > 0 && entry.services == nullptr)) {
    return "it counts kinds, settings or services that point nowhere";
  }
  return {};
}

std::string wrong_kind(const culvert_kind &kind) {
  if (kind.id == nullptr || kind.functions == nullptr) {
    return "a kind without an id or without functions";
  }
  const std::optional<PluginKind> known = kind_of(kind.id);
  if (!known) {
    return {}; // a service of a later Culvert
  }
  const KindFunctions functions = functions_of(*known, kind.functions);
  const char *absent = std::visit([](const auto &one) { return missing(one); }, functions);
  if (absent != nullptr) {
    return std::string(kind.id) + ": wanted the function " + absent + ", found NULL";
  }
  if (const auto *relay = std::get_if<culvert_relay>(&functions)) {
    if (relay->head_form != CULVERT_HEAD_HTTP && relay->head_form != CULVERT_HEAD_MESSAGE) {
      return std::string(kind.id) + ": wanted a head form of 1 or 2, found " +
             std::to_string(relay->head_form);
    }
    if (relay->alpn_count > kPluginDeclarations ||
        (relay->alpn_count > 0 &&
         (relay->alpn == nullptr ||
          std::any_of(relay->alpn, relay->alpn + relay->alpn_count, [](const char *one) {
            return one == nullptr || *one == '\0' || std::strlen(one) > 255;
          })))) {
      return std::string(kind.id) + ": wanted at most " + std::to_string(kPluginDeclarations) +
             " ALPN words of 1 to 255 bytes each";
    }
  }
  return {};
}

std::string wrong_key(const culvert_config_key &key) {
  if (key.name == nullptr || key.summary == nullptr) {
    return "a setting without a name or a summary";
  }
  const std::string name = "setting '" + one_line(key.name, 64) + "'";
  if (key.type > CULVERT_CONFIG_LIST) {
    return name + " is of the unknown type " + std::to_string(key.type);
  }
  if (key.default_value != nullptr) {
    if (const auto value = parse_config_text(key.type, key.default_value); !value.ok()) {
      return name + " has a broken default: " + value.status().message;
    }
  }
  return {};
}

std::string wrong_part(const culvert_plugin &entry) {
  for (const culvert_kind &kind : std::span(entry.kinds, entry.kind_count)) {
    if (std::string wrong = wrong_kind(kind); !wrong.empty()) {
      return wrong;
    }
  }
  for (const culvert_config_key &key : config_keys(entry)) {
    if (std::string wrong = wrong_key(key); !wrong.empty()) {
      return wrong;
    }
  }
  for (const char *service : std::span(entry.services, entry.service_count)) {
    if (service == nullptr || !offers_service(service)) {
      return std::string("it needs the service '") +
             (service == nullptr ? "" : one_line(service, 64)) +
             "', which this program does not offer; use a newer Culvert";
    }
  }
  return {};
}

} // namespace

std::string_view kind_id(PluginKind kind) {
  return kKindIds[static_cast<std::size_t>(kind)];
}

bool valid_plugin_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
}

Status check_entry(const culvert_plugin &entry, std::string_view id, std::string_view where) {
  std::string wrong = wrong_head(entry);
  if (wrong.empty()) {
    wrong = wrong_texts(entry, id);
  }
  if (wrong.empty()) {
    wrong = wrong_part(entry);
  }
  return wrong.empty() ? Status{} : Status::machine(std::string(where) + ": " + wrong);
}

Result<KindFunctions> find_kind(const culvert_plugin &entry, PluginKind kind) {
  std::string found;
  for (const culvert_kind &one : std::span(entry.kinds, entry.kind_count)) {
    if (kind_id(kind) == one.id) {
      return functions_of(kind, one.functions);
    }
    found += (found.empty() ? "" : ", ") + one_line(one.id, 64);
  }
  return Status::config("plugin " + std::string(entry.id) + ": wanted the kind " +
                        std::string(kind_id(kind)) + ", found " + (found.empty() ? "none" : found) +
                        "; name another plugin here");
}

std::string describe_entry(const culvert_plugin &entry) {
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(one_line(value, kLogLineBytes)).append("\n");
  };
  line("id", entry.id);
  line("version", entry.version);
  line("vendor", entry.vendor);
  line("license", entry.license);
  line("summary", entry.summary);
  if (*entry.build_note != '\0') {
    line("build", entry.build_note);
  }
  line("abi", "1." + std::to_string(entry.abi_minor) + ", requires 1." +
                  std::to_string(entry.abi_minor_required));
  for (const culvert_kind &kind : std::span(entry.kinds, entry.kind_count)) {
    line("kind", kind.id);
  }
  for (const char *service : std::span(entry.services, entry.service_count)) {
    line("service", service);
  }
  constexpr std::array<const char *, 5> kTypes{"text", "integer", "boolean", "secret", "list"};
  for (const culvert_config_key &key : config_keys(entry)) {
    line("setting",
         std::string(key.name) + " (" + kTypes[key.type] + (key.required != 0 ? ", required" : "") +
             (key.default_value != nullptr ? std::string(", default ") + key.default_value
                                           : std::string()) +
             "): " + key.summary);
  }
  return text;
}

} // namespace culvert
