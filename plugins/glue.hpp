// The C ABI in C++ terms: views, arenas, statuses, services. No state, no threads.
#pragma once

#include "culvert/plugin.h"
#include "culvert/service.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace culvert_glue {

inline std::string_view text(culvert_view view) {
  return view.size == 0 ? std::string_view{} : std::string_view{view.data, view.size};
}
inline culvert_view view(std::string_view text) {
  return {text.data(), text.size()};
}

/// Room in the arena, or nullptr; `used` beyond `capacity` tells the host that a result is missing.
inline void *reserve(culvert_arena *arena, std::size_t size, std::size_t alignment) {
  const std::size_t at = (arena->used + alignment - 1) / alignment * alignment;
  arena->used = at + size;
  return arena->used <= arena->capacity ? arena->data + at : nullptr;
}
inline culvert_view put(culvert_arena *arena, std::string_view text) {
  void *room = text.empty() ? nullptr : reserve(arena, text.size(), 1);
  if (room == nullptr) {
    return {nullptr, 0};
  }
  std::memcpy(room, text.data(), text.size());
  return {static_cast<const char *>(room), text.size()};
}
template <typename T> T *put_array(culvert_arena *arena, std::size_t count) {
  void *room = reserve(arena, count * sizeof(T), alignof(T));
  return room == nullptr ? nullptr : new (room) T[count]{};
}

inline uint32_t fail(culvert_status *status, uint32_t code, uint32_t source, uint32_t retry,
                     std::string_view message, uint32_t peer_status = 0) {
  status->code = code;
  status->source = source;
  status->retry = retry;
  status->peer_status = peer_status;
  const std::size_t size = std::min(message.size(), sizeof status->message - 1);
  std::memcpy(status->message, message.data(), size);
  status->message[size] = '\0';
  return 0;
}

template <typename Service> const Service *service(const culvert_host *host, const char *id) {
  return static_cast<const Service *>(host->service(host, id));
}

} // namespace culvert_glue
