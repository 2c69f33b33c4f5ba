// What is of io_uring alone.
#include "io/uring/probe.hpp"
#include "io/uring/uring_io.hpp"
#include "unit/io/io_tools.hpp"

#include <algorithm>
#include <fcntl.h>

namespace culvert::test {
namespace {

class RecordingLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= LogLevel::kDebug; }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    EXPECT_EQ(level, LogLevel::kDebug);
    std::string line(message);
    for (const LogField &field : fields) {
      line += " " + std::string(field.name) + "=" + field.value;
    }
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

TEST(Uring, SaysOneLineForEachFeature) {
  RecordingLog log;
  const auto io = make_uring_io(log);
  ASSERT_TRUE(io.ok()) << io.status().message;
  EXPECT_STREQ(io.value()->name(), "uring");
  for (const char *feature : {"accept", "connect", "poll", "cancel", "timed wait"}) {
    const std::string line = std::string("io_uring feature feature=") + feature + " state=used";
    EXPECT_EQ(std::count(log.lines.begin(), log.lines.end(), line), 1) << line;
  }
}

TEST(Uring, AForbiddenRingSaysWhatToChange) {
  struct Case {
    int error;
    int disabled;
    Code code;
    const char *advice;
  };
  for (const Case &row : {Case{EPERM, 2, Code::kUnsupported, "kernel.io_uring_disabled is 2; set"},
                          Case{EPERM, 0, Code::kUnsupported, "allow io_uring_setup"},
                          Case{EPERM, -1, Code::kUnsupported, "seccomp profile"},
                          Case{ENOSYS, 0, Code::kUnsupported, "CONFIG_IO_URING"},
                          Case{EINVAL, 0, Code::kUnsupported, "Linux 6.1 or newer is needed"},
                          Case{ENOMEM, 0, Code::kNoMemory, "ulimit -l"},
                          Case{EMFILE, 0, Code::kNoDescriptor, "ulimit -n"},
                          Case{EFAULT, 0, Code::kInternal, "Bad address"}}) {
    const Status status = uring::no_ring(row.error, row.disabled);
    EXPECT_EQ(status.code, row.code) << row.error;
    EXPECT_EQ(status.os_error, row.error);
    EXPECT_NE(status.message.find(row.advice), std::string::npos) << status.message;
  }
}

TEST(Uring, SocketsAreBlockingAndCloseOnExec) {
  const auto world = make_uring_world();
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  const Socket listener = io.listen(Address::loopback(0)).value();
  for (const Socket socket : {pair.client, pair.server, listener}) {
    EXPECT_EQ(fcntl(socket.id, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_EQ(fcntl(socket.id, F_GETFL) & O_NONBLOCK, 0);
    io.close(socket);
  }
}

} // namespace
} // namespace culvert::test
