// One shard's part of a relay: it accepts, and owns every connection, channel and tunnel that the
// shard has of this relay.
//
// Used by the shard's thread alone, from its construction to its destruction; other shards reach it
// by letters. start() is called once on every shard before the first drain() or drop() on any.
// `done` runs once, when nothing of it is left: no connection, channel, tunnel, letter or
// operation. It answers letters until it is destroyed. It may be destroyed only when every shard of
// the relay is done.
//
// relay_shard_seats.cpp finds a seat for a connection that arrives; the rest is relay_shard.cpp.
#pragma once

#include "crypto/digest.hpp"
#include "role/acceptor.hpp"
#include "role/relay/channel.hpp"
#include "role/relay/connection.hpp"
#include "role/relay/letters.hpp"
#include "role/relay/parts.hpp"
#include "role/relay/relay.hpp"
#include "role/relay/rendezvous.hpp"
#include "role/relay/tunnel_watcher.hpp"

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

class RelayShard {
public:
  RelayShard(Relay &relay, Shard &shard, RelayParts parts, Delegate<> done);
  RelayShard(const RelayShard &) = delete;
  RelayShard &operator=(const RelayShard &) = delete;
  ~RelayShard();

  /// New connections use these parts; connections and channels that exist keep theirs, but the
  /// token of each channel is judged again. Of an entity that these parts do not have, channels are
  /// closed, waiting senders are refused, and tunnels have the grace time to end.
  void use(RelayParts parts);
  /// All shards get the same sockets; the last shard to stop closes them.
  void start(std::vector<Socket> listening);
  /// Stops accepting, leaves the registry, refuses waiting senders, ends the channels, gives the
  /// tunnels the grace time to end, then drops the rest.
  void drain();
  /// Ends everything at once; may follow drain().
  void drop();
  [[nodiscard]] std::uint32_t connections() const { return connections_.size(); }
  [[nodiscard]] std::uint32_t tunnels() const { return tunnels_.size(); }
  [[nodiscard]] std::size_t letters_out() const { return letters_out_; }

  // --- for its parts ----------------------------------------------------------------------------
  [[nodiscard]] Relay &relay() { return relay_; }
  [[nodiscard]] Shard &shard() { return shard_; }
  [[nodiscard]] Rendezvous &rendezvous() { return rendezvous_; }
  [[nodiscard]] Digests &digests() { return digests_; }
  [[nodiscard]] std::uint16_t bound_port() const { return bound_port_; }
  /// Those that new connections begin with.
  [[nodiscard]] const std::shared_ptr<const RelayParts> &parts() const { return parts_; }
  /// No older than a sender waits: listeners may still come for senders of the process before.
  [[nodiscard]] bool is_young() const {
    return shard_.io.now_ns() - started_ns_ < limits().rendezvous_ms * 1'000'000U;
  }
  [[nodiscard]] bool stopping() const { return phase_ != Phase::kRunning; }
  void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);
  /// What a peer is told: nothing, if its protocol failed to say it.
  Answer or_nothing(Result<Answer> outcome);

  /// Sends the letter to another shard, or to this one; it comes back.
  void send(std::unique_ptr<Letter> letter, unsigned shard);
  /// On failure `guest` is unchanged, and the connection cannot continue here.
  Status take_in(Guest &guest);
  void on_moved(SlabHandle connection, Guest guest, const Status &refusal);
  Channel *channel(SlabHandle handle) { return channels_.find(handle); }

  /// Takes the link; on failure it does not take it.
  Status add_channel(ChannelSeed seed, std::unique_ptr<Link> &link);
  Status enroll(const RegisteredListener &listener);
  /// `offered_from`: by shard, whether it has offered senders to this listener.
  void on_listener_lost(const RegisteredListener &listener, ChannelEnd end,
                        const std::vector<bool> &offered_from);
  void join(Connection &sender, SlabHandle listener, const ChannelRef &channel);
  void refuse(SlabHandle connection, const Status &why);

  void on_seated(Connection &connection) { seated_.push_back(connection); }
  void on_connection_ended(SlabHandle handle);
  void on_channel_ended(SlabHandle handle);

private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kDropping, kDone };

  void on_arrived(Socket socket);
  [[nodiscard]] const RelayLimits &limits() const { return parts_->policy->limits(); }
  /// Connections, channels and tunnels, each.
  [[nodiscard]] std::uint64_t most() const { return limits().connections_per_shard; }
  [[nodiscard]] std::shared_ptr<const RelayParts> parts_for(const Guest &guest) const;
  void end_entities(const EntityTable &before, const EntityTable &now);
  void arm_ending();
  void on_entities_over();
  Seat find_seat(const Origin &origin);
  Connection *oldest_to_make_room(Sources::Answer full, const Origin &newcomer);
  void log_full(const Sources::Admission &admission, const Origin &origin, bool made_room);
  void log_crowded(std::string_view what);
  void on_accepting_stopped();
  void on_tunnel_ended();
  void on_letter(Mail &mail);
  void on_letter_back(Mail &mail);
  void check_done();
  void on_tick(Outcome outcome);
  [[nodiscard]] bool empty() const;

  Relay &relay_;
  Shard &shard_;
  std::shared_ptr<const RelayParts> parts_;            // none when done
  std::vector<std::weak_ptr<const RelayParts>> older_; // that a connection or channel still uses
  const Delegate<> done_;
  Digests digests_;
  Rendezvous rendezvous_;
  Acceptor acceptor_;
  Phase phase_ = Phase::kRunning;
  std::vector<Socket> listening_;
  std::uint16_t bound_port_ = 0; // of the first socket that has one
  std::uint64_t started_ns_ = 0;
  std::uint64_t crowded_log_ns_ = 0; // until then the log says already that connections are refused
  std::size_t letters_out_ = 0;
  List<Connection, SeatTag> seated_; // in the order of their arrival here
  Slab<Connection> connections_;
  Slab<Channel> channels_;
  Log &log_;
  TunnelWatcher watcher_;
  Tunnels tunnels_;
  Timer grace_;
  std::map<std::string, std::uint64_t> ending_entities_; // in lower case; until when, in ns
  Timer entities_over_;
  Completion tick_; // calls done_ outside the callback of the part that ended last
};

} // namespace culvert
