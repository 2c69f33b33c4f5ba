#include "private_names.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace culvert::command {
namespace {

constexpr const char *kHosts = "/etc/hosts";
constexpr const char *kNsswitch = "/etc/nsswitch.conf";
/// Its answers would come from outside of the namespace.
constexpr const char *kNscd = "/var/run/nscd";
/// A folder that every system has; it is covered while the files are made, in this namespace alone.
constexpr const char *kScratch = "/tmp";
constexpr const char *kScratchOptions = "mode=0755,size=16m";

Status not_allowed(const std::string &step) {
  return Status::machine("this machine does not let a command have names of its own (" + step +
                         ": " + std::strerror(errno) +
                         "); culvert hosts --apply redirects them for the whole machine, as root");
}

Status write_file(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? Status{} : not_allowed("write " + path);
}

/// The user and the group stay what they are.
Status enter_user_namespace() {
  const std::string user = std::to_string(geteuid());
  const std::string group = std::to_string(getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return not_allowed("a user namespace");
  }
  Status status = write_file("/proc/self/setgroups", "deny");
  if (status.ok()) {
    status = write_file("/proc/self/uid_map", user + " " + user + " 1");
  }
  return status.ok() ? write_file("/proc/self/gid_map", group + " " + group + " 1") : status;
}

Status enter_namespace() {
  if (unshare(CLONE_NEWNS) != 0) { // without the right to it
    if (Status status = enter_user_namespace(); !status.ok()) {
      return status;
    }
  }
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
             ? Status{}
             : not_allowed("private mounts");
}

std::string content_of(const char *path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A file with this text where the path is.
Status cover(const char *path, const std::string &text) {
  const std::string made =
      std::string(kScratch) + "/" + std::filesystem::path(path).filename().string();
  if (Status status = write_file(made, text); !status.ok()) {
    return status;
  }
  chmod(made.c_str(), 0644);
  return mount(made.c_str(), path, nullptr, MS_BIND, nullptr) == 0
             ? Status{}
             : not_allowed(std::string("a file over ") + path);
}

Status cover_files(const RedirectedNames &names) {
  Status status = cover(kHosts, hosts_for_command(content_of(kHosts), names));
  if (status.ok() && std::filesystem::exists(kNsswitch)) {
    status = cover(kNsswitch, files_first(content_of(kNsswitch)));
  }
  if (status.ok() && std::filesystem::is_directory(kNscd) &&
      mount("tmpfs", kNscd, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, kScratchOptions) != 0) {
    status = not_allowed(std::string("a folder over ") + kNscd);
  }
  return status;
}

} // namespace

Status enter_private_names(const RedirectedNames &names) {
  if (Status status = enter_namespace(); !status.ok()) {
    return status;
  }
  if (mount("tmpfs", kScratch, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, kScratchOptions) != 0) {
    return not_allowed("a file system in memory");
  }
  Status status = cover_files(names);
  if (umount2(kScratch, MNT_DETACH) != 0 && status.ok()) {
    status = not_allowed(std::string("leaving ") + kScratch);
  }
  return status;
}

Status try_private_names() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return not_allowed("a pipe");
  }
  const pid_t child = fork();
  if (child == 0) {
    const std::string why = enter_private_names({}).message;
    const ssize_t wrote = write(ends[1], why.data(), why.size());
    _exit(wrote == static_cast<ssize_t>(why.size()) ? 0 : 1);
  }
  std::string why = child < 0 ? not_allowed("a process").message : "";
  close(ends[1]);
  char buffer[512];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    why.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  if (child > 0) {
    waitpid(child, nullptr, 0);
  }
  return why.empty() ? Status{} : Status::machine(why);
}

} // namespace culvert::command
