// Broken simulated networks: cut paths, half-open and clogged connections, and who notices when.
#include "support/sim/sim_kernel.hpp"

#include "core/limits.hpp"

#include <cerrno>

namespace culvert {

bool SimKernel::path_dead(const SimSocket &socket) {
  return socket.lost || !network.reaches(socket.host, socket.peer_host);
}

void SimKernel::reset_both(Socket socket) {
  SimSocket *target = find(socket.id);
  CULVERT_ASSERT(target != nullptr);
  const int peer_id = target->peer;
  break_stream(*target, ECONNRESET);
  if (SimSocket *peer = find(peer_id)) {
    break_stream(*peer, ECONNRESET);
  }
}

void SimKernel::finish_both(Socket socket) {
  SimSocket *target = find(socket.id);
  CULVERT_ASSERT(target != nullptr);
  for (SimSocket *end : {target, find(target->peer)}) {
    if (end != nullptr && end->state == SimSocket::State::kConnected) {
      end->end_received = true;
      end->peer = -1;
      end->outgoing.clear();
      end->end_delivered = end->end_queued;
      wake(*end);
    }
  }
}

void SimKernel::time_out(Socket socket) {
  lose(socket);
  break_stream(*find(socket.id), ETIMEDOUT);
}

void SimKernel::lose(Socket socket) {
  SimSocket *target = find(socket.id);
  CULVERT_ASSERT(target != nullptr);
  target->lost = true;
  watch(*target);
  if (SimSocket *peer = find(target->peer)) {
    peer->lost = true;
    watch(*peer);
  }
}

void SimKernel::lose_between(int host, int other) {
  for (const auto &socket : sockets_) {
    if (socket && socket->state == SimSocket::State::kConnected && !socket->is_unix() &&
        socket->host == host && socket->peer_host == other) {
      lose(Socket{socket->id});
    }
  }
}

std::size_t SimKernel::orphan(int host) {
  std::size_t count = 0;
  for (const auto &socket : sockets_) {
    if (socket && socket->state == SimSocket::State::kConnected && !socket->linger_zero &&
        socket->incoming.empty() && socket->host == host) {
      socket->orphan = true;
      ++count;
    }
  }
  return count;
}

void SimKernel::clog(Socket socket, std::uint64_t duration_ns) {
  user_socket(socket).clogged_until_ns = core_.now_ns + duration_ns;
}

void SimKernel::unclog_all() {
  for (const auto &socket : sockets_) {
    if (socket) {
      socket->clogged_until_ns = 0;
      if (socket->delivering) { // its event may be far away; a second one does no harm
        socket->delivering = false;
        schedule_delivery(*socket);
      }
    }
  }
}

void SimKernel::paths_changed() {
  for (const auto &socket : sockets_) {
    if (!socket || socket->state != SimSocket::State::kConnected) {
      continue;
    }
    if (path_dead(*socket)) {
      watch(*socket);
      continue;
    }
    schedule_delivery(*socket);
    const SimSocket *peer = find(socket->peer);
    const bool deserted =
        (peer == nullptr || peer->state == SimSocket::State::kBroken) && !socket->end_received;
    if (deserted && socket->keep_alive_sec > 0) { // the next probe is answered with a reset
      const auto idle_ns = static_cast<std::uint64_t>(socket->keep_alive_sec) * 1'000'000'000U;
      core_.after(idle_ns, SimEvent::Kind::kReset, static_cast<std::uint64_t>(socket->id));
    }
    if (socket->watched) {
      socket->watched = false;
      ++socket->watch;
    }
  }
}

/// While a path is dead, one event stands for all retransmissions or keepalive probes.
void SimKernel::watch(SimSocket &socket) {
  const bool needed = socket.state == SimSocket::State::kConnected && !socket.watched &&
                      !socket.is_unix() && path_dead(socket);
  if (!needed || (!socket.outstanding() && socket.keep_alive_sec <= 0)) {
    return;
  }
  std::uint64_t wait_ns = kSimGiveUpNs;
  if (!socket.outstanding()) {
    wait_ns = (static_cast<std::uint64_t>(socket.keep_alive_sec) +
               std::uint64_t{kKeepAliveIntervalSec} * kKeepAliveProbes) *
              1'000'000'000U;
  }
  socket.watched = true;
  socket.watched_for_bytes = socket.outstanding();
  core_.after(wait_ns, SimEvent::Kind::kGiveUp, static_cast<std::uint64_t>(socket.id),
              ++socket.watch);
}

void SimKernel::on_give_up(SimSocket &socket, std::uint64_t watch_number) {
  if (!socket.watched || socket.watch != watch_number) {
    return;
  }
  socket.watched = false;
  if (socket.outstanding() && !socket.watched_for_bytes) {
    watch(socket); // probes rest while bytes are outstanding
    return;
  }
  break_stream(socket, ETIMEDOUT);
}

} // namespace culvert
