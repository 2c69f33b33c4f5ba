// The log's lines as they arrive at the other end of stderr, with readers that stop and go on.
#include "core/limits.hpp"
#include "culvert/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <regex>
#include <sys/socket.h>
#include <unistd.h>

namespace culvert {
namespace {

enum class Kind : std::uint8_t { kPipe, kSocket, kTerminal };

/// Stderr leads here while this lives; reading never blocks.
class Pipe {
public:
  explicit Pipe(Kind kind = Kind::kPipe) : saved_(::dup(STDERR_FILENO)) {
    if (kind == Kind::kPipe) {
      EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
      EXPECT_EQ(::fcntl(ends_[0], F_SETPIPE_SZ, 8192), 8192);
    } else if (kind == Kind::kSocket) {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_), 0);
    } else {
      EXPECT_EQ(::openpty(&ends_[0], &ends_[1], nullptr, nullptr, nullptr), 0);
    }
    EXPECT_EQ(::fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
    ::dup2(ends_[1], STDERR_FILENO);
    ::close(ends_[1]);
  }
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;
  ~Pipe() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    close_reader();
  }
  void close_reader() {
    if (ends_[0] >= 0) {
      ::close(ends_[0]);
      ends_[0] = -1;
    }
  }
  /// All that has arrived; no line of it is without an end.
  std::vector<std::string> lines() {
    std::vector<std::string> found = whole_lines();
    EXPECT_EQ(text_, "");
    return found;
  }
  /// The next ones; waits for one, because a terminal passes bytes on a little later.
  std::vector<std::string> next_lines() {
    constexpr int kDeadlineMs = 30'000;
    std::vector<std::string> found;
    pollfd reader{ends_[0], POLLIN, 0};
    while ((found = whole_lines()).empty() && ::poll(&reader, 1, kDeadlineMs) == 1) {
    }
    return found;
  }

private:
  std::vector<std::string> whole_lines() {
    char block[4096];
    for (ssize_t count = 0; (count = ::read(ends_[0], block, sizeof block)) > 0;) {
      text_.append(block, static_cast<std::size_t>(count));
    }
    std::vector<std::string> found;
    std::size_t end = 0;
    while ((end = text_.find('\n')) != std::string::npos) {
      const bool terminal = end > 0 && text_[end - 1] == '\r';
      found.push_back(text_.substr(0, terminal ? end - 1 : end));
      text_.erase(0, end + 1);
    }
    return found;
  }

  int ends_[2] = {-1, -1};
  int saved_;
  std::string text_; // of a line whose end has not come
};

void fill(Log &log, int count) {
  for (int i = 0; i < count; ++i) {
    log.write(LogLevel::kInfo, "line", {{"number", std::to_string(i)}});
  }
}

TEST(StderrLog, ATextLineHasTimeLevelMessageAndFields) {
  Pipe pipe;
  const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kText);
  log->write(LogLevel::kWarn, "it happened", {{"plain", "a.b"}, {"other", "a \"b\"\n=c\\"}});
  log->write(LogLevel::kDebug, "not asked for", {});
  const auto lines = pipe.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].substr(24), R"( warn it happened plain=a.b other="a \"b\"\u000a=c\\")");
}

TEST(StderrLog, WhatATerminalWouldObeyAndWhatIsNoUtf8IsEscaped) {
  Pipe pipe;
  const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kText);
  log->write(LogLevel::kInfo, "said",
             {{"c1", "\xc2\x9b"
                     "31m"},
              {"turned", "a\u202e\u2066\u2028"},
              {"broken", "\xff\xfe\xc3"},
              {"cut", "\xe2\x82"},
              {"overlong", "\xc0\xaf"},
              {"shown", "\u00e4\u20ac\U0001f600"}});
  const auto lines = pipe.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].substr(24), " info said c1=\"\\u009b31m\" turned=\"a\\u202e\\u2066\\u2028\" "
                                 "broken=\"\\u00ff\\u00fe\\u00c3\" cut=\"\\u00e2\\u0082\" "
                                 "overlong=\"\\u00c0\\u00af\" shown=\"\u00e4\u20ac\U0001f600\"");
}

TEST(StderrLog, AJsonLineIsAnObject) {
  Pipe pipe;
  const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kJson);
  log->write(LogLevel::kInfo, "say \"x\"", {{"field", "1"}});
  const auto lines = pipe.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(std::regex_match(
      lines[0],
      std::regex(R"(\{"time":"[-0-9T:.]+Z","level":"info","message":"say \\"x\\"","field":"1"\})")))
      << lines[0];
}

TEST(StderrLog, AReaderThatTakesNothingLosesLinesAndIsToldHowMany) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    Pipe pipe;
    const auto log = make_stderr_log(LogLevel::kInfo, format);
    fill(*log, 1000); // would block for ever if it waited
    const std::size_t arrived = pipe.lines().size();
    EXPECT_GT(arrived, 50U);
    EXPECT_LT(arrived, 1000U);
    log->write(LogLevel::kInfo, "again", {});
    const auto lines = pipe.lines();
    ASSERT_EQ(lines.size(), 2U);
    const std::string count = std::to_string(1000 - arrived);
    const std::string told =
        format == LogFormat::kText
            ? " warn lines of the log were lost count=" + count +
                  " why=\"the reader of stderr takes nothing\""
            : R"(,"level":"warn","message":"lines of the log were lost","count":")" + count +
                  R"(","why":"the reader of stderr takes nothing")";
    EXPECT_NE(lines[0].find(told), std::string::npos) << lines[0];
    EXPECT_NE(lines[1].find("again"), std::string::npos);
    fill(*log, 1);
    EXPECT_EQ(pipe.lines().size(), 1U); // told once
  }
}

/// What a terminal and a socket take can end inside a line.
TEST(StderrLog, NoReaderIsWaitedForAndEachLineIsWholeOrCounted) {
  const std::regex form(
      "(?:.* info line fill=x+ number=([0-9]+)|.* warn lines of the log were lost "
      "count=([0-9]+) why=.*)");
  for (const Kind kind : {Kind::kPipe, Kind::kSocket, Kind::kTerminal}) {
    SCOPED_TRACE(static_cast<int>(kind));
    Pipe pipe(kind);
    const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kText);
    constexpr std::uint64_t kLines = 2'000;
    const auto write = [&log](std::uint64_t number) { // lines of many lengths
      log->write(
          LogLevel::kInfo, "line",
          {{"fill", std::string(number % 997 + 1, 'x')}, {"number", std::to_string(number)}});
    };
    for (std::uint64_t i = 0; i < kLines; ++i) {
      write(i); // would block for ever if it waited
    }
    std::uint64_t arrived = 0;
    std::uint64_t lost = 0;
    std::uint64_t written = kLines;
    for (bool ended = false; !ended; ++written) {
      write(written);
      const std::vector<std::string> lines = pipe.next_lines();
      ASSERT_FALSE(lines.empty());
      for (const std::string &line : lines) {
        std::smatch found;
        ASSERT_TRUE(std::regex_match(line, found, form)) << line;
        lost += found[2].matched ? std::stoull(found[2]) : 0;
        arrived += found[2].matched ? 0 : 1;
        ended = found[1].matched && std::stoull(found[1]) == written;
      }
    }
    EXPECT_GT(lost, 0U);
    EXPECT_GT(arrived, 10U);
    EXPECT_EQ(arrived + lost, written);
  }
}

TEST(StderrLog, TellsAtItsEndWhatWasLost) {
  Pipe pipe;
  auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kText);
  fill(*log, 1000);
  const std::size_t arrived = pipe.lines().size();
  log = nullptr;
  const auto lines = pipe.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("lost count=" + std::to_string(1000 - arrived) + " "), std::string::npos);
}

TEST(StderrLog, ALineIsNoLongerThanAPipeTakesAndKeepsItsForm) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const bool json = format == LogFormat::kJson;
    for (const std::string &value : {std::string(100'000, 'x'), std::string(100'000, '"'),
                                     std::string(100'000, '\n'), std::string(100'000, '\xa0')}) {
      Pipe pipe;
      const auto log = make_stderr_log(LogLevel::kInfo, format);
      log->write(LogLevel::kInfo, "message", {{"long", value}, {"next", "1"}});
      log->write(LogLevel::kInfo, std::string(50'000, 'm'), {{"next", "1"}});
      for (const std::string &line : pipe.lines()) {
        EXPECT_LT(line.size(), kLogRecordBytes);
        EXPECT_GT(line.size(), kLogRecordBytes / 2);
        EXPECT_TRUE(!json || line.ends_with("...\"\x7d")) << line.substr(line.size() - 20);
      }
    }
  }
}

TEST(StderrLog, ACharacterIsNotCutInTwo) {
  Pipe pipe;
  const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kJson);
  for (int shift = 0; shift < 3; ++shift) {
    std::string value(static_cast<std::size_t>(shift), 'x');
    for (int i = 0; i < 5000; ++i) {
      value += "\xe2\x82\xac";
    }
    log->write(LogLevel::kInfo, "m", {{"v", value}});
    const auto lines = pipe.lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines[0].ends_with("\xe2\x82\xac...\"\x7d"));
  }
}

TEST(StderrLog, AReaderThatIsGoneIsNoHarm) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  {
    Pipe pipe;
    const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kText);
    pipe.close_reader();
    fill(*log, 1000);
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  Pipe other;
  const auto log = make_stderr_log(LogLevel::kInfo, LogFormat::kText);
  fill(*log, 1);
  EXPECT_EQ(other.lines().size(), 1U);
}

} // namespace
} // namespace culvert
