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
// tls.cpp shakes hands and sends, tls_receive.cpp receives and watches, tls_ending.cpp ends it.
#pragma once

#include "link/link.hpp"
#include "link/tls_records.hpp"

namespace culvert {

class TlsLink final : public Link {
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
  void watch(Completion &completion) override;
  void send(const Chunk &chunk) override;
  void flush() override;
  [[nodiscard]] std::size_t held() const override { return below_->held(); }
  [[nodiscard]] std::uint64_t silent_ms() const override { return below_->silent_ms(); }
  void drain(Completion &completion) override;
  void finish(const Ending &ending, Completion &completion) override;
  void abort(Completion &completion) override;
  void close(Completion &completion) override;
  void drop(Completion &completion) override;
  void cancel(Completion &completion) override;
  [[nodiscard]] LinkFacts facts() const override;
  std::unique_ptr<Link> peel() override;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  void start_receive() override;
  bool take_own(Chunk &chunk, const Take &how) override;

private:
  enum class End : std::uint8_t {
    kNone,
    kWaiting, // for room to send close_notify or an alert
    kBelow,   // the link below ends
    kDropping
  };

  TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context, const TlsPeer *peer);

  void on_start(Outcome outcome);
  void run_handshake();
  void handshake_ended(int result);
  void fail_handshake(TlsSession::Step step);

  void on_below_receive(Outcome outcome);
  bool next_input(const Take &how);
  void conclude(Ending ending);
  void conclude_below();
  void conclude_failed();
  void drain_below_turn(std::vector<std::byte> &rest);
  void on_below_watch(Outcome outcome);
  void watch_on();
  void watch_turn();

  void open_turn();
  void push_turn();
  void write_record(std::span<const std::byte> bytes);
  void write_gathered();
  void send_pending();
  void arm_below_drain();
  void on_below_drain(Outcome outcome);
  void advance_finish();

  void begin_end(Completion *&slot, Completion &completion, bool clean);
  void cancel_waiting();
  void advance_end();
  void on_stall();
  void drop_below();
  void on_below_end(Outcome outcome);
  void on_below_drop(Outcome outcome);
  void try_end();

  std::unique_ptr<Link> below_;
  TlsWire wire_;
  TlsSession session_;
  TlsRecords records_;
  Status failure_;

  bool ready_ = false;       // the handshake is done
  bool below_turn_ = false;  // a turn of the link below can be taken
  bool cancelled_ = false;   // the handshake
  std::size_t kept_ = 0;     // of this turn's chunks, with Take::keep
  std::size_t gathered_ = 0; // in the shard's gather buffer
  bool finish_asked_ = false;
  bool notify_sent_ = false;

  End end_ = End::kNone;
  bool end_clean_ = false; // close(): with close_notify
  bool ended_below_ = false;
  int end_result_ = 0;
  std::size_t stall_held_ = 0;
  Timer stall_;

  Completion start_;
  Completion below_receive_;
  Completion below_watch_;
  Completion below_drain_;
  Completion below_end_;
  Completion below_drop_;

  Completion *handshaking_ = nullptr;
  Completion *watching_ = nullptr;
  Completion *draining_ = nullptr;
  Completion *finishing_ = nullptr;
  Completion *ending_ = nullptr; // abort or close
  Completion *dropping_ = nullptr;
};

} // namespace culvert
