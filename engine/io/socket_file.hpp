// The file of a unix socket: taken over when no process listens on it any more, and removed by the
// process that made it.
//
// Any thread; for set-up and the end, not for the byte path (it touches the file system). It never
// waits for another process. A file is taken over only while its folder is locked. New files are
// made under the same lock if it is free. So one Culvert process cannot remove the socket file of
// another that is about to listen.
#pragma once

#include <string>
#include <sys/types.h>

namespace culvert {

/// The file that a listening socket was bound to. Made right after listening, while the socket is
/// open, so that no other file can have the same inode.
class SocketFile {
public:
  SocketFile() = default;
  explicit SocketFile(std::string path);
  SocketFile(SocketFile &&other) noexcept;
  SocketFile &operator=(SocketFile &&other) noexcept;
  ~SocketFile() { remove(); }

  /// Sets the file's mode. Returns 0 or the negated errno. A connection made before this call met
  /// the mode of the umask.
  [[nodiscard]] int set_mode(unsigned mode) const;
  /// Removes the file, unless the path now leads to another one. Call it before the socket is
  /// closed, because then another process may take the file over.
  void remove();

private:
  std::string path_; // empty: nothing to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// While it is held, no other process of Culvert takes over a socket file in that folder. It tries
/// once and does not wait, because any process that can open the folder can hold its lock for ever.
class FolderLock {
public:
  explicit FolderLock(const std::string &path);
  FolderLock(const FolderLock &) = delete;
  FolderLock &operator=(const FolderLock &) = delete;
  ~FolderLock();
  [[nodiscard]] bool held() const { return held_; }

private:
  int descriptor_ = -1;
  bool held_ = false;
};

enum class PathUse : unsigned char { kNothing, kNoSocket, kSomebodyListens, kNobodyListens };
/// Connects to the socket: a process that listens on it sees a connection that ends at once.
PathUse use_of_path(const std::string &path);

} // namespace culvert
