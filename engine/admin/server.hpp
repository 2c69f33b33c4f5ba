// The admin endpoint: HTTP/1.1 for who operates this process, on a unix socket or a loopback
// address.
//
// GET /healthz, /readyz, /metrics, /status; POST /reload. It has a thread of its own, so a busy
// shard delays no answer, and asks for one snapshot for each request. It keeps a spare descriptor,
// so it answers when tunnels have all others. Bounds: kAdminConnections at the same time (the
// oldest makes room), heads of kAdminHeadBytes, kAdminMs for a request and its answer. Made, used
// and destroyed on the control thread.
#pragma once

#include "culvert/snapshot.hpp"
#include "culvert/status.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace culvert {

inline constexpr std::size_t kAdminConnections = 16;
inline constexpr std::size_t kAdminHeadBytes = 8 * 1024;
inline constexpr unsigned kAdminMs = 5'000;
inline constexpr unsigned kAdminReloadMs = 60'000; // until a reload is answered

struct AdminOptions {
  int listening = -1; // a listening socket, which the server closes
  bool unix_socket = false;
  bool reloads = false;
  std::function<Snapshot()> snapshot; // called on the server's thread
};

class AdminServer {
public:
  /// After a failure the caller still has the socket.
  static Result<std::unique_ptr<AdminServer>> start(AdminOptions options);
  virtual ~AdminServer() = default;

  /// As Engine::take_reload() and answer_reload().
  virtual bool take_reload() = 0;
  virtual void answer_reload(bool reloaded, const std::vector<std::string> &sentences) = 0;
};

} // namespace culvert
