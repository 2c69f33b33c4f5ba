// One accepted connection, from its first byte until it becomes a control channel or half of a
// tunnel, or is answered and closed.
//
// Belongs to one shard, embedded in its relay part, never moves in memory; a connection that must
// continue on another shard is sent there as a Guest in a letter, and becomes a new Connection
// there. It owns its link. connection.cpp sets it up, connection_verbs.cpp acts on its intent,
// connection_end.cpp answers and ends it.
#pragma once

#include "core/list.hpp"
#include "link/head_reader.hpp"
#include "link/link.hpp"
#include "plugin/kinds.hpp"
#include "role/relay/authorization.hpp"
#include "role/relay/letters.hpp"
#include "role/relay/rendezvous.hpp"
#include "tunnel/steps.hpp"

#include <memory>
#include <optional>
#include <string>

namespace culvert {

class RelayShard;
class TlsLink;
struct SeatTag;

class Connection final : public ParkedSender, public ListHook<SeatTag> {
public:
  /// A new connection, which counts as unauthenticated, or one that moved here.
  Connection(RelayShard &relay, std::shared_ptr<const RelayParts> parts, Guest guest);
  ~Connection();

  /// Sets it up; for a guest: acts on its intent.
  void start(SlabHandle handle);
  /// Ends it at once, in any state.
  void drop();

  // --- for RelayShard ---------------------------------------------------------------------------
  /// Its letter came back; `guest` still has the link if the other shard refused it.
  void on_moved(Guest guest, const Status &refusal);
  [[nodiscard]] const Intent &intent() const { return intent_; }
  [[nodiscard]] SlabHandle handle() const { return handle_; }
  [[nodiscard]] bool moved() const { return moved_; }
  [[nodiscard]] const std::string &source() const { return origin_.source; }
  [[nodiscard]] std::uint64_t arrived_ns() const { return arrived_ns_; }
  /// Of a sender that is joined now.
  [[nodiscard]] StepTimes setup_times(std::uint64_t now_ns) const {
    return step_times(SetupStep::kAdmitted, arrived_ns_, parked_ns_, SetupStep::kMet, now_ns);
  }
  /// True if it has the kind of seat that a new connection from this origin needs, and has not
  /// begun to act.
  [[nodiscard]] bool can_make_room(Sources::Answer full, const Origin &newcomer) const;
  /// Gives its seat back at once, then ends.
  void make_room();
  [[nodiscard]] const std::string &entity() const { return entity_; }
  /// An answer as bytes, sent before framing begins.
  Result<std::string> opening(const Answer &answer);
  /// Sends the opening and returns the framed link.
  std::unique_ptr<Link> open(std::string opening);
  /// Logs the reason, answers in the connection's protocol, and ends.
  void refuse(const Status &why);

  [[nodiscard]] const RelayLimits &limits() const override { return parts_->policy->limits(); }
  Status offer(SlabHandle pending, const RegisteredListener &listener,
               const std::string &capability) override;
  void on_unmet(const Status &why) override;

private:
  enum class Phase : std::uint8_t {
    kSetUp,
    kMoving,  // its letter is on another shard; it owns no link
    kParked,  // a sender that waits
    kMeeting, // a sender that was fetched, or the listener's connection that fetches it
    kJoined,  // its link has another owner
    kEnding,
    kDropping
  };
  static const Step<Connection> kSteps[];
  [[nodiscard]] std::uint64_t handshake_ms() const { return limits().handshake_ms; }

  // --- set-up
  void start_tls();
  void cancel_tls();
  void on_tls(Outcome outcome);
  void start_head();
  void cancel_head();
  void on_head();
  [[nodiscard]] RelayProtocol &protocol() const { return *protocol_->instance; }
  Status read_head(Head &head);
  Status read_intent();
  [[nodiscard]] Status faulty_head() const;
  void start_authorize();
  void cancel_authorize() { authorization_.abandon(); }
  void on_authorized(const Result<Grant> &grant);
  void on_set_up(const Status &status);

  // --- verbs
  void act();
  void act_listen();
  void act_connect();
  void act_fetch();
  void act_answer();
  void move_to(unsigned shard);
  void on_settled(Outcome outcome);
  void redeem();
  void on_watch(Outcome outcome);
  void unpark();

  // --- ending
  void tell(const Answer &answer);
  void fail_set_up(const Status &why);
  void end_lingering();
  void end_broken();
  void on_ended(Outcome outcome);
  void end_before_head(const Status &why);
  void give_seat_back();
  void count_spent();
  [[nodiscard]] std::string path_in_log() const;
  [[nodiscard]] FailureCount::Failure count_refusal(Code why, Source fault_of);

  RelayShard &relay_;
  // Those that it began with; they live longer than the link.
  const std::shared_ptr<const RelayParts> parts_;
  std::unique_ptr<Link> link_;
  TlsLink *tls_ = nullptr; // the same link during its handshake
  SlabHandle handle_;
  Phase phase_ = Phase::kSetUp;
  Seat seat_;
  const std::uint64_t arrived_ns_;
  std::uint64_t parked_ns_ = 0; // of a sender: when its first offer went out
  bool moved_ = false;
  unsigned goes_to_ = 0; // the shard it moves to
  std::string peer_;
  Origin origin_;

  Steps<Connection> steps_;
  std::optional<HeadReader> reader_;
  const NamedProtocol *protocol_; // of the parts
  RequestHead request_;
  HeadFault fault_ = HeadFault::kNone; // of the request: it is refused without asking the plugin
  Intent intent_;
  std::string entity_;    // of a listener or sender: as configured
  Secret listener_token_; // its channel keeps it
  std::int64_t token_expires_s_ = 0;

  SlabHandle pending_; // of a parked sender
  SlabHandle partner_; // of a sender that is fetched: the listener's connection
  ChannelRef met_;     // and the channel of the redeemed offer

  Completion handshake_;
  Authorization authorization_;
  Completion settle_; // pauses held bytes before a move
  Completion watch_;
  Completion ending_;
  Completion dropping_;
  Timer patience_; // with the close of a connection that ended before its head
};

} // namespace culvert
