// The entry of a plugin as it may be wrong: sizes, versions, counts, missing texts and functions.
// Nothing is read beyond a stated size, and what passes the check can be used and described.
//
// Input: bytes that choose each part of the entry. Every struct and text has memory of its own, of
// exactly the size that it states: the sanitizer sees a read beyond it.
#include "fuzz.hpp"

#include "plugin/config.hpp"
#include "plugin/entry.hpp"
#include "plugin/host.hpp"

#include "culvert/service.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

using namespace culvert;
using culvert::fuzz::must;

namespace {

/// Where the functions that must be there stand in the struct of a kind, in the order of
/// PluginKind.
struct Required {
  std::size_t begin;
  std::size_t end;
};
constexpr std::array<Required, 4> kRequired{
    {{offsetof(culvert_transport, audience), offsetof(culvert_transport, renew)},
     {offsetof(culvert_relay, on_head), offsetof(culvert_relay, on_gone)},
     {offsetof(culvert_auth, acquire), offsetof(culvert_auth, cancel_acquire)},
     {offsetof(culvert_resolver, resolve), offsetof(culvert_resolver, cancel)}}};

constexpr std::array kWords{"fuzz",
                            "",
                            "true",
                            "60",
                            "a,b",
                            CULVERT_KIND_TRANSPORT,
                            CULVERT_KIND_RELAY,
                            CULVERT_KIND_AUTH,
                            CULVERT_KIND_RESOLVER,
                            "culvert.kind.later/2",
                            CULVERT_SERVICE_LOG,
                            CULVERT_SERVICE_SECRET};

/// Makes an entry of the input; owns all that it points at.
class Maker {
public:
  Maker(const std::uint8_t *data, std::size_t size) : rest_(data, size) {}

  const culvert_plugin &entry();

private:
  /// 0 when the input is over, which is always the choice that breaks nothing.
  std::uint8_t byte() {
    if (rest_.empty()) {
      return 0;
    }
    const std::uint8_t next = rest_.front();
    rest_ = rest_.subspan(1);
    return next;
  }
  bool rarely() { return byte() >= 240; }
  std::uint32_t count() { return rarely() ? 60U + byte() % 10U : byte() % 4U; }

  const char *text();
  const void *functions();
  const culvert_config_key *keys(std::uint32_t count);
  template <typename T, typename Make> const T *array(std::uint32_t count, Make make) {
    std::vector<T> all;
    for (std::uint32_t i = 0; i < count; ++i) {
      all.push_back(make());
    }
    return rarely() ? nullptr : static_cast<const T *>(keep(all.data(), count * sizeof(T)));
  }
  void *keep(const void *from, std::size_t size) {
    memory_.push_back(std::make_unique<char[]>(size));
    if (size > 0) {
      std::memcpy(memory_.back().get(), from, size);
    }
    return memory_.back().get();
  }

  std::span<const std::uint8_t> rest_;
  std::vector<std::unique_ptr<char[]>> memory_;
};

const char *Maker::text() {
  const std::uint8_t choice = byte();
  if (choice >= 250) {
    return nullptr;
  }
  std::string word = choice < 200 ? kWords[choice % kWords.size()] : "";
  for (std::size_t i = 200; i < choice; ++i) {
    word += static_cast<char>(byte());
  }
  return static_cast<const char *>(keep(word.c_str(), std::strlen(word.c_str()) + 1));
}

/// The functions are there or not; nobody calls them.
const void *Maker::functions() {
  constexpr std::size_t kMostBytes = 256; // more than any kind has
  alignas(culvert_relay) std::array<char, kMostBytes> bytes{};
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uintptr_t)) {
    bytes[at] = rarely() ? 0 : 1;
  }
  auto *relay = reinterpret_cast<culvert_relay *>(bytes.data());
  relay->size = rarely() ? byte() : bytes.size();
  relay->head_form = 1U + byte() % 3U;
  relay->alpn_count = byte() % 3U;
  relay->alpn = array<const char *>(relay->alpn_count, [this] { return text(); });
  const std::size_t stated = std::max<std::size_t>(relay->size, sizeof relay->size);
  return rarely() ? nullptr : keep(bytes.data(), stated);
}

const culvert_config_key *Maker::keys(std::uint32_t count) {
  return array<culvert_config_key>(count, [this] {
    culvert_config_key key{text(), text(), text(), 0, 0};
    key.type = rarely() ? byte() : byte() % 5U;
    key.required = byte() % 2U;
    return key;
  });
}

const culvert_plugin &Maker::entry() {
  culvert_plugin entry{};
  entry.magic = CULVERT_PLUGIN_MAGIC ^ (rarely() ? byte() : 0U);
  entry.size = rarely() ? byte() : sizeof entry;
  entry.abi_minor = byte();
  entry.abi_minor_required = rarely() ? byte() : 0U;
  for (const char **one : {&entry.id, &entry.version, &entry.vendor, &entry.license, &entry.summary,
                           &entry.build_note}) {
    *one = text();
  }
  entry.kind_count = count();
  entry.kinds = array<culvert_kind>(entry.kind_count, [this] {
    const char *id = text();
    return culvert_kind{id, functions()};
  });
  entry.config_key_count = count();
  entry.config_keys = keys(entry.config_key_count);
  entry.service_count = count();
  entry.services = array<const char *>(entry.service_count, [this] { return text(); });
  // An entry of another version may be longer or shorter; its beginning is always there.
  std::array<char, 256> bytes{};
  std::memcpy(bytes.data(), &entry, sizeof entry);
  const std::size_t stated = std::max<std::size_t>(entry.size, offsetof(culvert_plugin, abi_minor));
  return *static_cast<const culvert_plugin *>(keep(bytes.data(), stated));
}

/// Lines of an operator's terminal or log.
void check_text(std::string_view text, std::size_t lines) {
  must(!text.empty());
  for (const char letter : text) {
    must(static_cast<unsigned char>(letter) >= 0x20 || letter == '\n');
    lines -= letter == '\n' ? 1 : 0;
  }
  must(lines == 0);
}

/// One kind of an entry that was accepted.
void check_kind(const culvert_kind &kind, std::size_t index) {
  std::uint32_t size = 0;
  std::memcpy(&size, kind.functions, sizeof size);
  const Required required = kRequired[index];
  must(size >= required.end);
  for (std::size_t at = required.begin; at < required.end; at += sizeof(std::uintptr_t)) {
    std::uintptr_t function = 0;
    std::memcpy(&function, static_cast<const char *>(kind.functions) + at, sizeof function);
    must(function != 0);
  }
}

void check_accepted(const culvert_plugin &entry) {
  must(entry.magic == CULVERT_PLUGIN_MAGIC && entry.size >= sizeof entry);
  must(entry.abi_minor_required <= CULVERT_ABI_MINOR);
  for (std::size_t index = 0; index < kRequired.size(); ++index) {
    const auto kind = static_cast<PluginKind>(index);
    bool there = false;
    for (std::uint32_t i = 0; i < entry.kind_count; ++i) {
      if (entry.kinds[i].id == kind_id(kind)) {
        there = true;
        check_kind(entry.kinds[i], index);
      }
    }
    must(find_kind(entry, kind).ok() == there);
  }
  for (std::uint32_t i = 0; i < entry.service_count; ++i) {
    must(offers_service(entry.services[i]));
  }
  const Result<ConfigValues> config = check_config("fuzz", config_keys(entry), {});
  if (!config.ok()) {
    check_text(config.status().message, 0);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Maker maker(data, size);
  const culvert_plugin &entry = maker.entry();
  const Status status = check_entry(entry, "fuzz", "fuzz.so");
  if (!status.ok()) {
    check_text(status.message, 0);
    return 0;
  }
  check_accepted(entry);
  const std::size_t build_note = *entry.build_note == '\0' ? 0 : 1;
  check_text(describe_entry(entry),
             6 + build_note + entry.kind_count + entry.service_count + entry.config_key_count);
  return 0;
}
