// The file of a unix socket: whose it is, and who may remove it.
#include "io/socket_file.hpp"

#include "io/socket_calls.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace culvert {
namespace {

namespace fs = std::filesystem;

class SocketFileTest : public testing::Test {
protected:
  SocketFileTest() {
    char name[] = "/tmp/culvert-socket-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/s";
  }
  ~SocketFileTest() override { fs::remove_all(folder_); }
  Socket listen() {
    const Result<Socket> socket = socket_calls::listen(Address::unix_path(path_));
    EXPECT_TRUE(socket.ok()) << socket.status().message;
    return socket.value();
  }
  [[nodiscard]] bool there() const { return fs::exists(fs::symlink_status(path_)); }

  std::string folder_;
  std::string path_;
};

TEST_F(SocketFileTest, IsRemovedOnceAndOnlyByWhoHasIt) {
  const Socket socket = listen();
  SocketFile first(path_);
  {
    SocketFile second(std::move(first));
    first = SocketFile();
    EXPECT_TRUE(there());
    first = std::move(second);
  }
  EXPECT_TRUE(there());
  first.remove();
  EXPECT_FALSE(there());
  std::ofstream(path_) << "another";
  first.remove();
  EXPECT_TRUE(there());
  ::close(socket.id);
}

TEST_F(SocketFileTest, OfAnotherIsLeftAlone) {
  const Socket ours = listen();
  SocketFile file(path_);
  fs::rename(path_, path_ + ".old");
  const Socket theirs = listen();
  file.remove();
  EXPECT_TRUE(there());
  ::close(ours.id);
  ::close(theirs.id);
}

TEST_F(SocketFileTest, IsNoneWhereThereIsNoPath) {
  std::ofstream(path_) << "no socket";
  for (const std::string &path :
       {std::string(), std::string("\0abstract", 9), path_, folder_ + "/nothing"}) {
    SocketFile(path).remove();
  }
  EXPECT_TRUE(there());
}

TEST_F(SocketFileTest, TellsWhoUsesAPath) {
  EXPECT_EQ(use_of_path(path_), PathUse::kNothing);
  const Socket socket = listen();
  EXPECT_EQ(use_of_path(path_), PathUse::kSomebodyListens);
  ::close(socket.id);
  EXPECT_EQ(use_of_path(path_), PathUse::kNobodyListens);
  fs::remove(path_);
  std::ofstream(path_) << "no socket";
  EXPECT_EQ(use_of_path(path_), PathUse::kNoSocket);
  fs::remove(path_);
  fs::create_symlink(folder_ + "/nothing", path_);
  EXPECT_EQ(use_of_path(path_), PathUse::kNoSocket);
}

TEST_F(SocketFileTest, AFolderThatStaysLockedIsNoObstacleToANewFile) {
  const FolderLock lock(path_);
  ASSERT_TRUE(lock.held());
  EXPECT_FALSE(FolderLock(path_).held());
  const Socket socket = listen();
  SocketFile(path_).remove();
  EXPECT_FALSE(there());
  ::close(socket.id);
}

TEST_F(SocketFileTest, IsTakenOverOnlyUnderTheLock) {
  ::close(listen().id);
  {
    const FolderLock lock(path_);
    const Result<Socket> refused = socket_calls::listen(Address::unix_path(path_));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.status().os_error, EADDRINUSE);
    EXPECT_NE(refused.status().message.find("locked its folder"), std::string::npos);
    EXPECT_EQ(use_of_path(path_), PathUse::kNobodyListens);
  }
  ::close(listen().id);
}

TEST_F(SocketFileTest, WhoeverListensIsAskedOnce) {
  const Socket living = listen();
  const Result<Socket> refused = socket_calls::listen(Address::unix_path(path_));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message.find("another process listens there"), std::string::npos);
  ASSERT_EQ(::fcntl(living.id, F_SETFL, O_NONBLOCK), 0);
  const int probe = ::accept(living.id, nullptr, nullptr);
  EXPECT_GE(probe, 0);
  EXPECT_LT(::accept(living.id, nullptr, nullptr), 0);
  ::close(probe);
  ::close(living.id);
}

TEST_F(SocketFileTest, OfAnotherUserInAStickyFolderIsExplained) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs a second user";
  }
  constexpr uid_t kNobody = 65534;
  ::close(listen().id);
  ::chmod(folder_.c_str(), 01777);
  ::chmod(path_.c_str(), 0777);
  ASSERT_EQ(::seteuid(kNobody), 0);
  const Result<Socket> refused = socket_calls::listen(Address::unix_path(path_));
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message.find("another user's"), std::string::npos)
      << refused.status().message;
  EXPECT_TRUE(there());
}

} // namespace
} // namespace culvert
