// The TLS link: a byte stream over another one, encrypted and verified.
//
// Used on its shard only; it owns the link below. Two parts do the work: the session (handshake,
// verification, tickets: tls_session.hpp) and the record stream (tls_records.hpp); this class is
// the link contract around them. handshake() comes first and once; after it failed or was
// cancelled, only an ending may follow.
//
// The end of the stream is close_notify; any other end of the link below reads as an abort. Bytes
// behind close_notify stay with the link below, for peel(). A frame is a record: a send of at most
// kRecordBytes is never split, and only merged with others where all fit into one record.
//
// tls.cpp shakes hands and sends, tls_receive.cpp receives and watches, tls_ending.cpp answers what
// the ending asks.
#pragma once

#include "link/layered.hpp"
#include "link/tls_records.hpp"

namespace culvert {

class TlsLink final : public LayeredLink {
public:
  /// The server's side.
  TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context);
  /// The client's side.
  TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context, const TlsPeer &peer);
  ~TlsLink() override;

  // --- set-up ---------------------------------------------------------------------------------
  /// Outcome 0: done; -ECANCELED; otherwise failure() says why, and what the other side is told is
  /// on its way.
  void handshake(Completion &completion);
  [[nodiscard]] const Status &failure() const { return failure_; }
  /// The protocol id both sides agreed on; empty when none.
  [[nodiscard]] std::string_view alpn() const { return session_.alpn(); }
  [[nodiscard]] bool resumed() const { return session_.resumed(); }
  [[nodiscard]] std::string_view version() const { return session_.version(); }

  // --- the contract of a link -----------------------------------------------------------------
  void send(const Chunk &chunk) override;
  void flush() override;
  [[nodiscard]] LinkFacts facts() const override;
  std::unique_ptr<Link> peel() override;
  void leave() override;

protected:
  void start_receive() override;
  bool take_own(Chunk &chunk, const Take &how) override;
  void start_watch() override;
  void start_drain() override;
  void cancel_drain() override;
  void start_finish(const Ending &ending) override;
  void cancel_own(Completion &completion) override;
  void on_below_receive(Outcome outcome) override;
  void on_below_drain(Outcome outcome) override;
  void work() override;

  void prepare_end(End end) override;
  [[nodiscard]] bool word_waits() const override;
  void say_word() override;
  [[nodiscard]] bool awaits_peer() const override { return false; }
  [[nodiscard]] std::uint64_t patience_ms() const override { return 0; }
  void arm_ending() override { drain_below(); }

private:
  enum class Session : std::uint8_t {
    kNew,
    kShaking,
    kCancelled, // the handshake, by its caller; what is in flight for it has not completed yet
    kReady,
    kFailed
  };

  TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context, const TlsPeer *peer);

  void run_handshake();
  void handshake_ended(Session becomes, int result);
  void fail_handshake(TlsSession::Step step);

  bool next_input(const Take &how);
  void conclude(Ending ending);
  void conclude_below();
  void conclude_failed();
  void drain_below_turn(std::vector<std::byte> &rest);
  void watch_turn();

  void open_turn();
  void push_turn();
  void write_record(std::span<const std::byte> bytes);
  void write_gathered();
  void send_pending();
  void advance_finish();
  void say_close_notify();

  TlsWire wire_;
  TlsSession session_;
  TlsRecords records_;
  Session stage_ = Session::kNew;
  Status failure_;
  std::size_t kept_ = 0;     // of this turn's chunks, with Take::keep
  std::size_t gathered_ = 0; // in the shard's gather buffer
  Completion *handshaking_ = nullptr;
};

} // namespace culvert
