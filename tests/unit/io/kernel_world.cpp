#include "io/epoll/epoll_io.hpp"
#include "io/uring/uring_io.hpp"
#include "support/silent_log.hpp"
#include "unit/io/io_world.hpp"

#include <algorithm>
#include <filesystem>
#include <poll.h>
#include <stdexcept>

namespace culvert::test {
namespace {

constexpr std::uint64_t kPatienceNs = 60'000'000'000; // a test that waits so long has failed
constexpr std::uint64_t kLookNs = 20'000'000;         // a predicate may come true without an event

using MakeIo = Result<std::unique_ptr<Io>> (*)();

Result<std::unique_ptr<Io>> make_uring() {
  SilentLog log;
  return make_uring_io(log);
}

std::size_t sockets_of_process() {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
    count += target.rfind("socket:", 0) == 0 ? 1 : 0;
  }
  return count;
}

/// Drives one Io with its own wait(), several as a host's loop would: poll(2) on their descriptors.
class KernelWorld final : public IoWorld {
public:
  explicit KernelWorld(MakeIo make_io) : make_io_(make_io), sockets_before_(sockets_of_process()) {
    std::string pattern = std::filesystem::temp_directory_path() / "culvert-io-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("no temporary directory");
    }
    directory_ = pattern;
  }
  ~KernelWorld() override {
    ios_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  Io &make() override {
    Result<std::unique_ptr<Io>> made = make_io_();
    if (!made.ok()) {
      throw std::runtime_error(made.status().message);
    }
    ios_.push_back(std::move(made.value()));
    return *ios_.back();
  }

  Address fresh_address(Address::Family family) override {
    if (family == Address::Family::kUnix) {
      return Address::unix_path(directory_ / ("socket-" + std::to_string(paths_++)));
    }
    return family == Address::Family::kIpv6 ? *Address::from_literal("::1", 0)
                                            : Address::loopback(0);
  }

  bool run_until(const std::function<bool()> &predicate) override {
    const std::uint64_t deadline_ns = ios_.front()->now_ns() + kPatienceNs;
    while (!predicate()) {
      if (ios_.front()->now_ns() > deadline_ns) {
        return false;
      }
      bool more = false;
      for (const auto &io : ios_) {
        more = io->run_ready() || more;
      }
      if (!more && !predicate()) {
        sleep();
      }
    }
    return true;
  }

  std::size_t open_sockets() override { return sockets_of_process() - sockets_before_; }

private:
  void sleep() {
    const std::uint64_t now_ns = ios_.front()->now_ns();
    if (ios_.size() == 1) {
      ios_.front()->wait(now_ns + kLookNs);
      return;
    }
    std::uint64_t until_ns = now_ns + kLookNs;
    std::vector<pollfd> descriptors;
    for (const auto &io : ios_) {
      until_ns = std::min(until_ns, io->nearest_deadline_ns());
      descriptors.push_back({io->descriptor(), POLLIN, 0});
    }
    const std::uint64_t sleep_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    ::poll(descriptors.data(), descriptors.size(),
           static_cast<int>((sleep_ns + 999'999) / 1'000'000));
  }

  const MakeIo make_io_;
  std::size_t sockets_before_;
  std::filesystem::path directory_;
  int paths_ = 0;
  std::vector<std::unique_ptr<Io>> ios_;
};

} // namespace

std::unique_ptr<IoWorld> make_uring_world() {
  return std::make_unique<KernelWorld>(&make_uring);
}

std::unique_ptr<IoWorld> make_epoll_world() {
  return std::make_unique<KernelWorld>(&make_epoll_io);
}

} // namespace culvert::test
