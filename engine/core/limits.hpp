// The bounds that follow from the arithmetic of the byte path, or that a protocol or a file format
// sets. Bytes, milliseconds and counts. The bounds that an embedder may set are in
// culvert/limits.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace culvert {

// --- one shard's loop -------------------------------------------------------------------------
/// Callbacks in one run_ready(): a host's own loop gets its thread back after at most this many
/// turns.
inline constexpr int kRunBudget = 256;
/// Turns of short streams between two turns of bulk streams, while both are ready. A bulk turn of
/// kTurnBytes costs a client 0.25 ms (1 s/GiB), a turn of 64 bytes with its record and system calls
/// about 0.03 ms: with 8 of these each kind has half of the time. Measured with one upload beside
/// 128 streams of 64 bytes on one machine, in MiB/s: 60 without a share, 40 with 32, 100 with 16,
/// 150 with 8, 160 with 4; and 128 echoes beside an upload, in thousands a second: 7.1 without a
/// share, 6.7 with 8, 6.1 with 4.
inline constexpr int kShortTurnsPerBulk = 8;
/// Parts of one gathering send: a turn of 256 KiB in records of 16 KiB is 16 parts, 64 leave room
/// for short frames; the kernel takes 1024.
inline constexpr std::size_t kGatherParts = 64;

/// Connections that may wait for an accept; the kernel limits it to net.core.somaxconn (4096 by
/// default).
inline constexpr int kListenBacklog = 4'096;
/// Entries of a ring's submission queue. A turn starts only a few operations. A full queue is
/// submitted and reused.
inline constexpr unsigned kSubmissionEntries = 256;
/// Completions that wait in a ring: a tunnel has at most 4 polls armed and 4 cancels in flight, so
/// 1,024 tunnels can end at the same time. The kernel keeps further completions in its own memory.
inline constexpr unsigned kCompletionEntries = 8'192;
/// Threads that the kernel may start for a ring. Only a connect to a unix socket with a full
/// backlog needs one.
inline constexpr unsigned kRingWorkers = 4;
/// Events that epoll returns in one call; the rest comes with the next one. A round runs at most
/// kRunBudget callbacks.
inline constexpr std::size_t kEpollEvents = kRunBudget;
/// Connections that a shard on epoll accepts in a row; other events come before the next ones.
inline constexpr int kAcceptBatch = 64;
/// epoll has no event for room in the backlog of a unix socket, so a connect is tried again after
/// this time, as long as its owner lets it.
inline constexpr std::uint64_t kCrowdedConnectMs = 10;

// --- the byte path ----------------------------------------------------------------------------
/// The most bytes received in one turn. Half of it costs 5 to 10 % more CPU; twice as much gains
/// nothing.
inline constexpr std::size_t kTurnBytes = 256U * 1024;
/// A direction whose sink holds nothing receives this much in a turn even when the shard's budget
/// is used up. If it waited, two shards could wait for each other for ever. About one record with
/// its frame; half of it costs up to twice the CPU.
inline constexpr std::size_t kMinTurnBytes = 16U * 1024;
/// A TLS record holds at most this much plaintext (RFC 8446, section 5.1).
inline constexpr std::size_t kRecordBytes = 16U * 1024;
/// The longest WebSocket frame header: 2 + 8 bytes of length + 4 of mask key, rounded up.
inline constexpr std::size_t kHeadroom = 16;
/// Payload of the first frame of a message that we send: header and payload fill one record. Masked
/// (listener and sender): 16,384 - 8.
inline constexpr std::size_t kLargestMaskedFrame = kRecordBytes - 8;
/// Unmasked (the relay): 16,384 - 4.
inline constexpr std::size_t kLargestUnmaskedFrame = kRecordBytes - 4;
/// The largest control message, unless a link description or an intent gives a smaller bound. A
/// 16-bit length allows no larger one.
inline constexpr std::size_t kControlMessageBytes = 64U * 1024;
/// The most that a turn may leave held (asserted). It is the sum of: the turn's own bytes; a
/// quarter of that, for a record that began in an earlier turn (16 KiB) and for the headers of our
/// records and frames (30 bytes in each 16 KiB, because short pieces are gathered); and one message
/// of framing `messages` that began in an earlier turn.
inline constexpr std::size_t kDirectionHeldBytes =
    kTurnBytes + kTurnBytes / 4 + kControlMessageBytes;
/// Bytes that a tunnel may hold because the kernel has not taken them, both directions together.
inline constexpr std::size_t kTunnelHeldBytes = 2 * kDirectionHeldBytes;
/// The most that a turn of kMinTurnBytes may leave held: its own bytes, one record that began in
/// earlier turns, and the headers that framing and records add.
inline constexpr std::size_t kMinTurnHeldBytes =
    kMinTurnBytes + kRecordBytes + (kMinTurnBytes + kRecordBytes) / 4;
/// One block of held bytes.
inline constexpr std::size_t kHeldBlockBytes = 32U * 1024;
/// Delay before a socket is tried again when the kernel had no memory for it. The kernel frees
/// buffers within a round trip, and a hundred tries a second cost nothing.
inline constexpr std::uint64_t kNoBufferRetryMs = 10;

// --- TLS --------------------------------------------------------------------------------------
/// The largest size of one encrypted record: 5 bytes of header, at most 256 of expansion (RFC 8446,
/// section 5.2), and a KeyUpdate record of at most 64 before it; rounded up.
inline constexpr std::size_t kTlsRecordRoom = kRecordBytes + 512;
/// Alerts and answers that wait for the next send. An alert record has 24 bytes, and a link sends
/// few.
inline constexpr std::size_t kTlsPendingBytes = 1024;
/// Handshake messages after the handshake (KeyUpdate, tickets, refused renegotiations) in one
/// second. HAProxy has the same bound for key updates.
inline constexpr std::uint32_t kTlsControlPerSecond = 100;
/// Sessions that a client context keeps (one for each relay and name), and for how long (the life
/// of a ticket).
inline constexpr std::size_t kTlsSessions = 256;
inline constexpr std::int64_t kTlsSessionSec = 7'200;

// --- endings ----------------------------------------------------------------------------------
/// Interval between checks for unacknowledged bytes while an abort waits for them. It is the first
/// value while the bytes become fewer, and doubles up to the second value with each check that
/// finds no change. With 10,000 apps that read nothing when their relay dies this is 31,000 checks
/// a second, not 2 million.
inline constexpr std::uint64_t kAbortProbeMs = 5;
inline constexpr std::uint64_t kAbortProbeMostMs = 320;

/// What a peer whose connection a relay has answered and ends may still send. It is read, so that
/// the peer's answer is not lost to a reset; with more than the largest head it is no client that
/// wants an answer.
inline constexpr std::size_t kRefusedPeerBytes = 64U * 1024;
/// The longest path of a unix socket: sun_path has room for it and its end.
inline constexpr std::size_t kSocketPathBytes = 107;

// --- heads and messages -----------------------------------------------------------------------
inline constexpr std::size_t kHeadBytes = 40U * 1024;
/// The most facts that a relay plugin may keep about a connection, and the largest offer.
inline constexpr std::size_t kFactsBytes = 40U * 1024;
inline constexpr std::size_t kAnswerBodyBytes = 64U * 1024;
inline constexpr std::size_t kCloseReasonBytes = 123; // RFC 6455, section 5.5
inline constexpr std::size_t kReasonPhraseBytes = 512;
/// Room for the pongs of one turn: 16 of the largest size. In a longer burst only the latest ping
/// is answered.
inline constexpr std::size_t kTurnPongBytes = 2'048;

// --- set-up -----------------------------------------------------------------------------------
inline constexpr int kKeepAliveSec = 60;
/// A silent peer is declared dead 4 * 10 s after the first probe: 100 s after its last byte.
inline constexpr int kKeepAliveIntervalSec = 10;
inline constexpr int kKeepAliveProbes = 4;
/// The kernel does not probe while bytes are unacknowledged; it retransmits them for 15 minutes. So
/// a tunnel checks at each of its pings, and gives up after the same time as the probes would.
inline constexpr std::uint64_t kSilentPeerMs =
    (kKeepAliveSec + kKeepAliveIntervalSec * kKeepAliveProbes) * 1'000;

// --- what an operator gives --------------------------------------------------------------------
/// A certificate file larger than this is not one: the bundle of all public authorities is 220 KB.
inline constexpr std::size_t kPemFileBytes = 4U * 1024 * 1024;
/// The longest host name of DNS (RFC 1035, section 2.3.4): a relay's own.
inline constexpr std::size_t kHostNameBytes = 253;
/// A rule's name and its key. Microsoft's clients allow 256 characters for each.
inline constexpr std::size_t kRuleNameBytes = 256;
inline constexpr std::size_t kRuleKeyBytes = 256;
/// A shorter key can be guessed from one token: 128 bits are the usual least strength of a key.
inline constexpr std::size_t kShortRuleKeyBytes = 16;
/// An entity's path: Azure's bound.
inline constexpr std::size_t kEntityPathBytes = 260;

// --- plugins ----------------------------------------------------------------------------------
/// Room for the results of one call: an intent holds the strings of a head, facts, and two answers.
inline constexpr std::size_t kPluginArenaBytes = kHeadBytes + kFactsBytes + 2 * kAnswerBodyBytes;
/// A token is part of a head and must leave room for the rest of it.
inline constexpr std::size_t kTokenBytes = kHeadBytes / 2;
/// Fields of one head; other servers allow about 100.
inline constexpr std::uint32_t kHeadFields = 128;
/// Allowed or denied listener ids of one intent: a head of 40 KiB has no room for many more.
inline constexpr std::uint32_t kListenerIds = 256;
/// The part of a connection's id that a log line shows.
inline constexpr std::size_t kLoggableIdBytes = 128;
/// One line of the log with its newline: the most that a writable pipe takes without blocking
/// (PIPE_BUF, one page).
inline constexpr std::size_t kLogRecordBytes = 4'096;
/// One log line of a plugin.
inline constexpr std::size_t kLogLineBytes = 1024;
/// The largest file that is examined as a plugin. Our largest has 0.9 MB; debug symbols can add a
/// hundred. The whole file may be in memory during the check.
inline constexpr std::uint64_t kPluginFileBytes = 256U * 1024 * 1024;
/// The smallest value that a plugin may give as its largest message. With a prefix of 2 bytes for
/// each, a turn of such messages grows by an eighth; kDirectionHeldBytes has room for a quarter.
inline constexpr std::uint32_t kSmallestMessageBytes = 16;
/// The shortest ping interval that a plugin may ask for: ten pings a second on each connection.
inline constexpr std::uint32_t kShortestPingMs = 100;
/// The last second of the year 9999. A later expiry from a plugin is reduced to it, so that sums of
/// times do not overflow.
inline constexpr std::int64_t kLastSecond = 253'402'300'799;
/// How long a child process may take to load a plugin whose entry is to be described. Loading maps
/// a file and runs its constructors, which takes milliseconds.
inline constexpr std::uint64_t kPluginLoadMs = 10'000;
/// A call into a plugin that takes longer than this delays every connection of its shard, and is
/// logged as a warning: at most one in kSlowCallLogMs from each instance, with the number of slow
/// calls since the last one.
inline constexpr std::uint64_t kSlowCallMs = 50;
inline constexpr std::uint64_t kSlowCallLogMs = 10'000;
/// Calls of one function on one shard that a plugin has not completed before their deadline. Each
/// has 20 KiB of room for a token: 5 MiB in all. Once a plugin owes this many answers, further
/// calls fail at once.
inline constexpr std::size_t kAbandonedRecords = 256;
/// Watches that one instance of a plugin may have at a time, and timers. Each watch has a
/// descriptor, of the usual 1,024 of a process; a resolver needs two for each of its servers.
/// service.h promises plugins at least 64 and 1,024.
inline constexpr std::size_t kPluginWatches = 128;
inline constexpr std::size_t kPluginTimers = 4'096;
/// Cancelled records of one function on one shard that rest before they are used again. Each has 20
/// KiB of room for a token: 1.3 MiB in all.
inline constexpr std::size_t kRestingRecords = 64;
/// The longest delay of a plugin's timer; a longer one is reduced to it, so that sums of times do
/// not overflow.
inline constexpr std::uint64_t kMostPluginDelayMs = 366ULL * 24 * 3'600'000;
/// The most kinds, settings, services and ALPN protocol ids that an entry may declare, each. A
/// larger number means a damaged entry.
inline constexpr std::uint32_t kPluginDeclarations = 64;

} // namespace culvert
