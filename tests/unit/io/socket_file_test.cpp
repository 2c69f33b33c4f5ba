// The file of a unix socket: whose it is, and who may remove it.
#include "io/socket_file.hpp"

#include "io/socket_calls.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/file.h>
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

TEST_F(SocketFileTest, AFolderThatStaysLockedIsNoObstacle) {
  const FolderLock lock(path_);
  ::close(listen().id);
  EXPECT_TRUE(there());
}

} // namespace
} // namespace culvert
