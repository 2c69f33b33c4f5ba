// A broken invariant ends the process, also when nobody reads what it says.
#include "core/assert.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace culvert {
namespace {

TEST(Assert, EndsTheProcessAndSaysWhere) {
  EXPECT_DEATH(CULVERT_ASSERT(1 > 2), "culvert: broken invariant: 1 > 2 .*assert_test.cpp");
}

TEST(Assert, EndsTheProcessWhoseStderrIsAFullPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const char block[4096] = {};
  while (::write(ends[1], block, sizeof block) > 0) {
  }
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, 0), 0); // from now on it blocks
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    CULVERT_ASSERT(1 > 2);
    ::_exit(0);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFSIGNALED(state));
  EXPECT_EQ(WTERMSIG(state), SIGABRT);
  ::close(ends[0]);
  ::close(ends[1]);
}

} // namespace
} // namespace culvert
