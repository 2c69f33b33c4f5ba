// The TLS link: an encrypted and verified byte stream over another byte link.
//
// Used on its shard only; it owns the link below. Two parts do the work: the session (handshake,
// verification, tickets: tls_session.hpp) and the record stream (tls_records.hpp); this class
// implements the link contract with them. handshake() is called first, and once. After it failed or
// was cancelled, only an ending may follow.
//
// The end of the stream is close_notify; any other end of the link below is an abort. Bytes after
// close_notify stay in the link below, for peel(). One frame becomes one record: a send of at most
// kRecordBytes is never split. Several sends share a record only if all of them fit.
//
// tls.cpp has the handshake and sending, tls_receive.cpp receiving and watching, tls_ending.cpp the
// ending.
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
  /// Outcome 0: done; -ECANCELED: cancelled; otherwise failure() says why, and an alert for the
  /// other side was sent or is pending.
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
  [[nodiscard]] bool output_waits() const override;
  void send_output() override;
  [[nodiscard]] bool awaits_peer() const override { return false; }
  [[nodiscard]] std::uint64_t peer_wait_ms() const override { return 0; }

private:
  enum class Session : std::uint8_t {
    kNew,
    kHandshaking,
    kCancelled, // by the caller of handshake(); its operations below have not completed yet
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
  void send_close_notify();

  TlsWire wire_;
  TlsSession session_;
  TlsRecords records_;
  Session stage_ = Session::kNew;
  Status failure_;
  std::size_t kept_ = 0;     // bytes of this turn's chunks, with Take::keep
  std::size_t gathered_ = 0; // bytes in the shard's gather buffer
  Completion *handshaking_ = nullptr;
};

} // namespace culvert
