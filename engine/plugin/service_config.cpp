#include "plugin/host.hpp"

namespace culvert {

namespace {

/// The value, or nullptr when the key is unset, unknown or of another type.
template <typename T> const T *find(const culvert_host *host, const char *key) {
  const ConfigValues &values = *PluginHost::of(host).config;
  const auto found = key == nullptr ? values.end() : values.find(std::string_view(key));
  return found == values.end() ? nullptr : std::get_if<T>(&found->second);
}

culvert_view text(const culvert_host *host, const char *key) {
  const auto *value = find<std::string>(host, key);
  return value == nullptr ? culvert_view{} : culvert_view{value->data(), value->size()};
}

int64_t integer(const culvert_host *host, const char *key) {
  const auto *value = find<std::int64_t>(host, key);
  return value == nullptr ? 0 : *value;
}

uint32_t boolean(const culvert_host *host, const char *key) {
  const auto *value = find<bool>(host, key);
  return value != nullptr && *value;
}

uint64_t secret(const culvert_host *host, const char *key) {
  const auto *value = find<SecretReference>(host, key);
  return value == nullptr ? 0 : value->id;
}

uint32_t count(const culvert_host *host, const char *key) {
  const auto *value = find<std::vector<std::string>>(host, key);
  return value == nullptr ? 0 : static_cast<uint32_t>(value->size());
}

culvert_view item(const culvert_host *host, const char *key, uint32_t index) {
  const auto *value = find<std::vector<std::string>>(host, key);
  return value == nullptr || index >= value->size()
             ? culvert_view{}
             : culvert_view{(*value)[index].data(), (*value)[index].size()};
}

} // namespace

constexpr culvert_config kConfigService{
    sizeof(culvert_config), 0, &text, &integer, &boolean, &secret, &count, &item};

} // namespace culvert
