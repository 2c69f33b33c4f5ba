// A listener's control channel, from its registration at the relay to its end: it reads the relay's
// messages, writes the answers, renews its token, and says the Close.
//
// Belongs to one listener part, on its shard. It owns the link. The listener hears of offers and of
// a channel that is lost from callbacks of the loop; after `ended` there is no channel, and the
// next one may be opened.
#pragma once

#include "role/counters.hpp"
#include "role/renewal.hpp"

#include <deque>
#include <memory>

namespace culvert {

class ControlChannel {
public:
  /// kNone -> kOnline -> (kLeaving ->) kEnding -> kNone; a channel that is turned away goes from
  /// kNone to kEnding.
  enum class State : std::uint8_t {
    kNone,
    kOnline,  // registered at the relay
    kLeaving, // we have sent Close and wait for the relay's
    kEnding   // it is closed or dropped
  };
  struct Hears {
    Delegate<ChannelResult &> offered; // one offer
    Delegate<const Status &> renewed;  // its token was renewed, or why it was not
    Delegate<const Status &> lost;     // the relay or its protocol failed; the channel is ending
    Delegate<> ended;                  // nothing is left of it
  };

  /// The kit is the listener's: as it is when a message is read.
  ControlChannel(const ClientKit &kit, RoleCounters &counters, const Hears &hears);
  ControlChannel(const ControlChannel &) = delete;
  ControlChannel &operator=(const ControlChannel &) = delete;

  [[nodiscard]] State state() const { return state_; }
  /// `token`: that with which it was registered at the entity; its text is not used.
  void open(std::unique_ptr<Link> link, const FramingOptions &framing, const EntityAddress &entity,
            const Token &token);
  /// The kit has another auth plugin.
  void use_other_auth() { renewal_.use_other_auth(); }
  /// A channel that is ready when the listener wants none any more.
  void turn_away(std::unique_ptr<Link> link, bool politely);
  /// Says Close, and goes on serving what the relay wrote before it has read that.
  void leave();
  /// Ends it at once, whatever its state is.
  void drop();

private:
  void enter(State state);
  void on_receive(Outcome outcome);
  void take_turn();
  void heard(const Message &message);
  void answer(Message message);
  void end_if_broken();
  void write_answers();
  void on_token(const Token &token);
  void on_no_token(const Status &why) { hears_.renewed(why); }
  void check_ended();
  void on_drain(Outcome outcome);
  void lost(const Status &why, bool relay_is_there);
  Status closed_by(const Ending &end);
  void on_not_answered() { end(false); }
  void end(bool politely);
  void on_finished(Outcome) {} // close() behind it waits for the rest
  void on_ended(Outcome outcome);

  const ClientKit &kit_;
  RoleCounters &counters_;
  const Hears hears_;
  State state_ = State::kNone;
  std::unique_ptr<Link> link_;
  FramingOptions framing_;
  Timer unanswered_;
  std::uint64_t word_ = 0; // the transport's
  std::size_t largest_message_ = kControlMessageBytes;
  Message message_; // being received
  Status broken_;   // the relay's protocol error
  std::deque<Message> answers_;
  std::size_t answers_bytes_ = 0;
  Renewal renewal_;
  Completion receive_;
  Completion drain_;
  Completion end_;
  Completion drop_;
  Completion finish_;
};

} // namespace culvert
