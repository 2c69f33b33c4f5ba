// The bounds that are arithmetic of the byte path, or that a protocol or a file format sets. Bytes,
// milliseconds and counts. What an embedder may set stands in culvert/limits.hpp.
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

/// Connections that may wait for an accept; the kernel cuts it to net.core.somaxconn, by default
/// 4096.
inline constexpr int kListenBacklog = 4'096;
/// Entries of a ring's submission queue: one turn's operations are a few, a full queue is submitted
/// and used again.
inline constexpr unsigned kSubmissionEntries = 256;
/// Completions that wait in a ring: a tunnel has at most 4 polls armed and 4 cancels on their way,
/// so 1,024 tunnels can end at once; beyond it the kernel keeps the rest in its own memory.
inline constexpr unsigned kCompletionEntries = 8'192;
/// Threads the kernel may start for a ring; only a connect to a unix socket with a full backlog
/// ever needs one.
inline constexpr unsigned kRingWorkers = 4;

// --- the byte path ----------------------------------------------------------------------------
/// Received in one turn at the most. Half of it costs 5 to 10 % more CPU, twice as much gains
/// nothing.
inline constexpr std::size_t kTurnBytes = 256U * 1024;
/// A direction whose sink holds nothing receives this much in a turn even where the shard's budget
/// is out: if it waited, two shards could each be full of what the other one has no room to read,
/// and wait for ever. About one record with its frame; half of it costs up to twice the CPU.
inline constexpr std::size_t kMinTurnBytes = 16U * 1024;
/// A TLS record holds at most this much plaintext (RFC 8446, section 5.1).
inline constexpr std::size_t kRecordBytes = 16U * 1024;
/// The longest WebSocket frame header: 2 + 8 bytes of length + 4 of mask key, rounded up.
inline constexpr std::size_t kHeadroom = 16;
/// First frame we send: header + payload fill one record. Masked (our ends): 16,384 - 8.
inline constexpr std::size_t kLargestMaskedFrame = kRecordBytes - 8;
/// Unmasked (the relay): 16,384 - 4.
inline constexpr std::size_t kLargestUnmaskedFrame = kRecordBytes - 4;
/// A whole control message, where a link description or an intent names no smaller bound; no
/// message behind a length of 16 bits is larger.
inline constexpr std::size_t kControlMessageBytes = 64U * 1024;
/// What a turn may leave held (asserted): its own bytes; a quarter for a record that began earlier
/// and was completed in it (16 KiB), and for records and frames of ours, 30 bytes for each 16 KiB,
/// because short pieces are gathered; and a message of framing `messages` that began earlier.
inline constexpr std::size_t kDirectionHeldBytes =
    kTurnBytes + kTurnBytes / 4 + kControlMessageBytes;
/// Bytes a tunnel may hold that the kernel did not take: one turn a direction.
inline constexpr std::size_t kTunnelHeldBytes = 2 * kDirectionHeldBytes;
/// What a turn of kMinTurnBytes may leave held: its own bytes, those of a record that began in
/// earlier turns and was completed in it, and what framing and records may add.
inline constexpr std::size_t kMinTurnHeldBytes =
    kMinTurnBytes + kRecordBytes + (kMinTurnBytes + kRecordBytes) / 4;
/// One block of held bytes.
inline constexpr std::size_t kHeldBlockBytes = 32U * 1024;
/// A socket that was refused memory by the kernel is tried again after so long: the kernel frees
/// buffers within a round trip, and a hundred tries a second cost nothing.
inline constexpr std::uint64_t kNoBufferRetryMs = 10;

// --- TLS --------------------------------------------------------------------------------------
/// What one record may take behind encryption: 5 of header, at most 256 of expansion (RFC 8446,
/// section 5.2), and a KeyUpdate record of at most 64 before it; rounded up.
inline constexpr std::size_t kTlsRecordRoom = kRecordBytes + 512;
/// Alerts and answers that wait for the next send: an alert record is 24 bytes, a link sends few.
inline constexpr std::size_t kTlsPendingBytes = 1024;
/// Handshake messages behind the handshake (KeyUpdate, tickets, refused renegotiations) in one
/// second; HAProxy's bound for key updates.
inline constexpr std::uint32_t kTlsControlPerSecond = 100;
/// Sessions a client context keeps, one a relay and name, and for how long (a ticket's life).
inline constexpr std::size_t kTlsSessions = 256;
inline constexpr std::int64_t kTlsSessionSec = 7'200;

// --- endings ----------------------------------------------------------------------------------
/// How soon unsent bytes are looked at again while an abort waits for them: at first, and while
/// they become fewer; each look that finds them as they were doubles it up to the second. 10,000
/// apps that read nothing when their relay dies cost 31,000 looks a second, not 2 million.
inline constexpr std::uint64_t kAbortProbeMs = 5;
inline constexpr std::uint64_t kAbortProbeMostMs = 320;

// --- heads and messages -----------------------------------------------------------------------
inline constexpr std::size_t kHeadBytes = 40U * 1024;
/// A relay plugin's own bytes about a connection, and a capability's or offer's message.
inline constexpr std::size_t kFactsBytes = 40U * 1024;
inline constexpr std::size_t kAnswerBodyBytes = 64U * 1024;
inline constexpr std::size_t kCloseReasonBytes = 123; // RFC 6455, section 5.5
inline constexpr std::size_t kReasonPhraseBytes = 512;
/// Pongs owed for the pings of one turn: 16 of the largest; of a longer burst the latest counts.
inline constexpr std::size_t kTurnPongBytes = 2'048;

// --- set-up -----------------------------------------------------------------------------------
inline constexpr int kKeepAliveSec = 60;
/// A silent peer is given up 4 * 10 s after the first probe: 100 s after its last word.
inline constexpr int kKeepAliveIntervalSec = 10;
inline constexpr int kKeepAliveProbes = 4;
/// The kernel does not probe while bytes are unacknowledged, and goes on sending those for 15 min;
/// a tunnel that pings looks at each ping, and gives the peer up as soon as a probe would have.
inline constexpr std::uint64_t kSilentPeerMs =
    (kKeepAliveSec + kKeepAliveIntervalSec * kKeepAliveProbes) * 1'000;

// --- what an operator gives --------------------------------------------------------------------
/// A certificate file larger than this is not one: the bundle of all public authorities is 220 KB.
inline constexpr std::size_t kPemFileBytes = 4U * 1024 * 1024;
/// The longest host name of DNS (RFC 1035, section 2.3.4): a relay's own.
inline constexpr std::size_t kHostNameBytes = 253;
/// The name of a rule, which travels in a token beside all else there, and its key: the bound of
/// Microsoft's clients (reference section 3.4).
inline constexpr std::size_t kRuleNameBytes = 256;
inline constexpr std::size_t kRuleKeyBytes = 256;
/// An entity's path: Azure's bound.
inline constexpr std::size_t kEntityPathBytes = 260;

// --- plugins ----------------------------------------------------------------------------------
/// Room for the results of one call: an intent holds the strings of a head, facts, and two answers.
inline constexpr std::size_t kPluginArenaBytes = kHeadBytes + kFactsBytes + 2 * kAnswerBodyBytes;
/// A token travels in a head, beside all else there.
inline constexpr std::size_t kTokenBytes = kHeadBytes / 2;
/// Fields of one head; servers of others stop at about 100.
inline constexpr std::uint32_t kHeadFields = 128;
/// Allowed or denied listener ids of one intent: 40 KiB of head hold no more of any use.
inline constexpr std::uint32_t kListenerIds = 256;
/// What a line of the log shows of a connection's id.
inline constexpr std::size_t kLoggableIdBytes = 128;
/// One line of the log with its newline: what a pipe that polls writable takes without blocking
/// (PIPE_BUF, one page).
inline constexpr std::size_t kLogRecordBytes = 4'096;
/// One log line of a plugin.
inline constexpr std::size_t kLogLineBytes = 1024;
/// A file that is read to see whether it is a plugin: the largest of ours has 0.9 MB, debug symbols
/// of a large one may have a hundred. All of it may be in memory then.
inline constexpr std::uint64_t kPluginFileBytes = 256U * 1024 * 1024;
/// The least that a plugin may name as the largest message: behind its prefix of 2 bytes a turn of
/// such messages grows by an eighth, within the quarter that kDirectionHeldBytes has for it.
inline constexpr std::uint32_t kSmallestMessageBytes = 16;
/// The shortest interval of pings a plugin may ask for: ten a second, from each connection.
inline constexpr std::uint32_t kShortestPingMs = 100;
/// The last second of the year 9999: a token that a plugin says is good beyond it is good until
/// then, so that sums of times do not overflow.
inline constexpr std::int64_t kLastSecond = 253'402'300'799;
/// A call into a plugin that takes longer holds up every connection of its shard: a warning, one in
/// kSlowCallLogMs from each instance, with the count of those between.
inline constexpr std::uint64_t kSlowCallMs = 50;
inline constexpr std::uint64_t kSlowCallLogMs = 10'000;
/// Calls of one function that a plugin has not completed within their step, on one shard: with 20
/// KiB of room for a token each 5 MiB. A plugin that owes so many answers is not asked again.
inline constexpr std::size_t kAbandonedRecords = 256;
/// What an entry may declare of kinds, settings, services and ALPN words, each: more is garbage.
inline constexpr std::uint32_t kPluginDeclarations = 64;

// --- how many ---------------------------------------------------------------------------------

} // namespace culvert
