// One world of the fault board: a relay, a listener and a sender over TLS, one tunnel that is
// struck by at most one fault, and one tunnel after it.
//
// Used on one thread. A run without a fault numbers everything that the roles ask for; a run of the
// same scene with a fault is the same run until that number. After a failure operations may be in
// flight, so the stage must then be leaked, not destroyed.
#pragma once

#include "faults.hpp"

#include "../people.hpp"
#include "../proxy_host.hpp"
#include "../roles.hpp"

#include <map>
#include <optional>

namespace culvert::simtest {

inline constexpr char kSenderHost[] = "10.0.2.1";
inline constexpr char kListenerHost[] = "10.0.1.1";

/// What the first tunnel of a stage is there to show.
enum class Scene : std::uint8_t {
  kUpload,   // every step but those below
  kDownload, // the app reads slowly; the target ends first
  kProxied   // sender and listener go through an HTTP proxy
};
inline constexpr std::size_t kScenes = 3;
std::string_view word(Scene scene);

/// Something that a role asked for; or, as kAny, a connection of it that was there when the first
/// thing of a step was asked.
struct Asked {
  Operation operation = Operation::kAny;
  Part part = Part::kSender;
  Step step = Step::kRegister;
  int socket = -1;
  std::size_t bytes = 0;
  bool ready = false;
  bool connected = false; // it is about a connection
  bool raw = false;       // which is the app's or the target's
};

class Stage {
public:
  explicit Stage(Scene scene);
  Stage(const Stage &) = delete;
  Stage &operator=(const Stage &) = delete;

  /// Without a fault, or with one that strikes at this number: what is asked, or this connection.
  /// True when everything held.
  bool run(const Fault *fault = nullptr, std::size_t at = 0);
  [[nodiscard]] const std::vector<Asked> &asked() const { return asked_; }
  [[nodiscard]] const std::vector<std::string> &failures() const { return judge_.failures(); }
  /// The lines of all roles, in the order of time.
  [[nodiscard]] std::vector<std::string> log() const;

private:
  /// How often the log of one role tells of one connection.
  struct Told {
    unsigned begun = 0;
    unsigned ended = 0;
  };

  Services &with_questions();
  void make_sessions();
  static Address sender_address();
  SimStrike on_call(const SimCall &call);
  bool strikes(const Asked &asked);
  void note_connections();
  bool strike_if_due(const Asked &asked);
  void damage(Socket socket);
  [[nodiscard]] Asked about(Operation operation, Part part, const SimSocket *socket) const;
  Fault::Answer on_question(Operation operation, const SimIo &io);
  [[nodiscard]] std::optional<Part> part_of(int host) const;
  [[nodiscard]] Step step() const;

  void on_line(Part part, std::string_view message, std::initializer_list<LogField> fields);
  void note_offered(std::string_view message, const std::string &id);
  void note_step(Part part, std::string_view message, std::string_view step);

  bool play();
  bool stop();
  void judge_first();
  void judge_end();
  [[nodiscard]] bool all_told() const;
  bool until(const std::function<bool()> &done, std::uint64_t within_ms, const std::string &what);
  void expect(bool condition, const std::string &what);

  const Scene scene_;
  const Fault *fault_ = nullptr;
  std::size_t at_ = 0;
  bool struck_ = false;
  bool listening_ = true; // to what the roles ask
  std::vector<Asked> asked_;
  Step set_up_step_ = Step::kRegister;
  unsigned joined_ = 0;                 // roles that have joined the first tunnel
  std::uint64_t resets_ = 0;            // of apps without a tunnel, as the sender's log says
  std::map<std::string, bool> offered_; // senders, and whether the relay has said what came of it
  std::map<std::string, Told> told_[kParts];

  SimWorld world_;
  const int relay_host_ = world_.add_host(kRelayHost);
  const int sender_host_ = world_.add_host(kSenderHost);
  const int listener_host_ = world_.add_host(kListenerHost);
  Judge judge_;
  Services services_;
  SimLog sender_log_{world_};
  SimLog listener_log_{world_};
  std::optional<ProxyHost> proxy_;
  RelayHost relay_;
  ClientHost<Sender> sender_;
  ClientHost<Listener> listener_;
  std::vector<Session> sessions_;
  TalkWorld talk_{world_, judge_, sessions_};
  Target target_;
  SimIo &app_io_;
  std::deque<App> apps_;
};

} // namespace culvert::simtest
