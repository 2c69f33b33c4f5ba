// The log's lines as they arrive at the other end of stderr, with readers that stop and go on.
#include "core/limits.hpp"
#include "culvert/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <regex>
#include <unistd.h>

namespace culvert {
namespace {

/// Stderr is a pipe while this lives; reading never blocks.
class Pipe {
public:
  Pipe() : saved_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_EQ(::fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(::fcntl(ends_[0], F_SETPIPE_SZ, 8192), 8192);
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
  std::vector<std::string> lines() {
    std::string text;
    char block[4096];
    for (ssize_t count = 0; (count = ::read(ends_[0], block, sizeof block)) > 0;) {
      text.append(block, static_cast<std::size_t>(count));
    }
    std::vector<std::string> found;
    std::size_t end = 0;
    while ((end = text.find('\n')) != std::string::npos) {
      found.push_back(text.substr(0, end));
      text.erase(0, end + 1);
    }
    EXPECT_EQ(text, ""); // no line without an end
    return found;
  }

private:
  int ends_[2] = {-1, -1};
  int saved_;
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
  EXPECT_EQ(lines[0].substr(24), R"( warning it happened plain=a.b other="a \"b\"\u000a=c\\")");
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
            ? " warning lines of the log were lost count=" + count +
                  " why=\"the reader of stderr takes nothing\""
            : R"(,"level":"warning","message":"lines of the log were lost","count":")" + count +
                  R"(","why":"the reader of stderr takes nothing")";
    EXPECT_NE(lines[0].find(told), std::string::npos) << lines[0];
    EXPECT_NE(lines[1].find("again"), std::string::npos);
    fill(*log, 1);
    EXPECT_EQ(pipe.lines().size(), 1U); // told once
  }
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
